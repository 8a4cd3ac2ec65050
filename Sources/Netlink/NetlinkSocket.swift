// A netlink socket and the two ways of asking over it: dumps, which are answered by many messages, and commands, which
// are acknowledged. It belongs to the network namespace of the thread that opened it, for good.

import CLibMNL
import Glibc

/// One owned netlink socket.
@safe struct NetlinkSocket: ~Copyable {
    private let socket: OpaquePointer
    private var sequence: UInt32 = 0
    private var buffer = [UInt8](repeating: 0, count: 65536)

    /// Opens a socket in the calling thread's network namespace.
    ///
    /// - Parameters:
    ///   - bus: `NETLINK_ROUTE`, `NETLINK_SOCK_DIAG`.
    ///   - groups: the multicast groups to listen to, as bits.
    init(bus: Int32, groups: UInt32 = 0) throws(NetlinkError) {
        guard let socket = unsafe mnl_socket_open2(bus, Int32(SOCK_CLOEXEC.rawValue)) else {
            throw .last("open a netlink socket for", "bus \(bus)")
        }
        guard unsafe mnl_socket_bind(socket, groups, 0) == 0 else {
            let failure = NetlinkError.last("bind a netlink socket for", "bus \(bus)")
            _ = unsafe mnl_socket_close(socket)
            throw failure
        }
        unsafe self.socket = socket
        // Explanations with errors, and errors without an echo of the request. Older kernels do without.
        for option in [NETLINK_EXT_ACK, NETLINK_CAP_ACK] {
            var on: Int32 = 1
            _ = unsafe mnl_socket_setsockopt(socket, option, &on, 4)
        }
    }

    deinit {
        _ = unsafe mnl_socket_close(socket)
    }

    /// Asks for a dump and returns its messages. A dump that the kernel says was disturbed by a change is asked for
    /// again, a few times; then the last answer is taken, since on a busy machine there may never be a quiet one.
    mutating func dump(_ request: NetlinkRequest, _ operation: String) throws(NetlinkError) -> [NetlinkMessage] {
        for attempt in 1...Self.dumpAttempts {
            let (messages, wasDisturbed) = try dumpOnce(request, operation)
            if !wasDisturbed || attempt == Self.dumpAttempts { return messages }
        }
        return []
    }

    private static let dumpAttempts = 4

    private mutating func dumpOnce(
        _ request: NetlinkRequest, _ operation: String
    ) throws(NetlinkError) -> (messages: [NetlinkMessage], wasDisturbed: Bool) {
        try send(request, operation)
        var messages: [NetlinkMessage] = []
        var wasDisturbed = false
        while true {
            for message in NetlinkMessage.messages(in: try receive(operation)[...]) where message.sequence == sequence {
                wasDisturbed = wasDisturbed || message.flags & UInt16(NLM_F_DUMP_INTR) != 0
                switch Int32(message.type) {
                case NLMSG_DONE, NLMSG_ERROR:
                    try throwError(in: message, operation)
                    return (messages, wasDisturbed)
                case NLMSG_NOOP:
                    continue
                default:
                    messages.append(message)
                }
            }
        }
    }

    /// Sends a command and waits for its acknowledgement.
    mutating func command(_ request: NetlinkRequest, _ operation: String) throws(NetlinkError) {
        try send(request, operation)
        while true {
            for message in NetlinkMessage.messages(in: try receive(operation)[...])
            where message.sequence == sequence && message.type == NLMSG_ERROR {
                return try throwError(in: message, operation)
            }
        }
    }

    /// Sends several messages in one datagram, of which the last asks to be acknowledged, and waits for that.
    ///
    /// - Throws: the first error of any of them.
    mutating func batch(_ requests: [NetlinkRequest], _ operation: String) throws(NetlinkError) {
        let first = sequence &+ 1
        var bytes: [UInt8] = []
        var awaited = first
        for request in requests {
            sequence &+= 1
            if request.flags & UInt16(NLM_F_ACK) != 0 { awaited = sequence }
            bytes += request.bytes(sequence: sequence)
        }
        guard unsafe mnl_socket_sendto(socket, bytes, bytes.count) >= 0 else { throw .last(operation, Self.object) }
        var failure: NetlinkError?
        // After an error the acknowledgement may never come.
        while try wait(milliseconds: failure == nil ? Self.batchPatience : 50, operation) {
            for message in NetlinkMessage.messages(in: try receive(operation)[...])
            where message.type == NLMSG_ERROR && message.sequence &- first < UInt32(requests.count) {
                do throws(NetlinkError) {
                    try throwError(in: message, operation)
                    guard message.sequence == awaited else { continue }
                    if let failure { throw failure }
                    return
                } catch {
                    failure = failure ?? error
                }
            }
        }
        throw failure
            ?? NetlinkError(
                operation: operation, object: Self.object, errno: ETIMEDOUT, detail: "the kernel says nothing")
    }

    /// The kernel answers within the call that sends; this is for its having done something else first.
    private static let batchPatience: Int32 = 30_000

    /// The next datagram; blocks until there is one.
    mutating func receive(_ operation: String) throws(NetlinkError) -> [UInt8] {
        while true {
            let count = unsafe mnl_socket_recvfrom(socket, &buffer, buffer.count)
            if count >= 0 { return Array(buffer.prefix(count)) }
            guard errno == EINTR else { throw .last(operation, Self.object) }
        }
    }

    /// Waits until something can be received.
    ///
    /// - Returns: false when the time is over first.
    func wait(milliseconds: Int32, _ operation: String) throws(NetlinkError) -> Bool {
        var entry = pollfd(fd: unsafe mnl_socket_get_fd(socket), events: Int16(POLLIN), revents: 0)
        let count = unsafe poll(&entry, 1, milliseconds)
        guard count >= 0 || errno == EINTR else { throw .last(operation, Self.object) }
        return count > 0
    }

    private mutating func send(_ request: NetlinkRequest, _ operation: String) throws(NetlinkError) {
        sequence &+= 1
        let bytes = request.bytes(sequence: sequence)
        guard unsafe mnl_socket_sendto(socket, bytes, bytes.count) >= 0 else { throw .last(operation, Self.object) }
    }

    /// An acknowledgement is an error of zero; the end of a dump carries one too.
    private func throwError(in message: NetlinkMessage, _ operation: String) throws(NetlinkError) {
        guard let code = message.payload.load(Int32.self), code != 0 else { return }
        var detail: String?
        if message.type == NLMSG_ERROR, message.flags & UInt16(NLM_F_ACK_TLVS) != 0 {
            let attributes = message.attributes(after: MemoryLayout<nlmsgerr>.size)
            detail = attributes[UInt16(NLMSGERR_ATTR_MSG.rawValue)]?.text
        }
        throw NetlinkError(operation: operation, object: Self.object, errno: -code, detail: detail)
    }

    private static let object = "this network namespace"
}

// One owner: whatever uses the buffer or the sequence is mutating, and the kernel's socket takes calls from any thread.
extension NetlinkSocket: @unchecked Sendable {}
