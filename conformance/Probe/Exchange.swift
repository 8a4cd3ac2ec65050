// A client's steps with a deadline each: connect, send a request, receive one reply. What the reply means and what
// is counted is up to the callers.

import Glibc
import HostCalls
import ProbeProtocol

/// One client socket with what it has received of a line so far.
struct Exchange {
    let socket: Socket
    private var input = LineBuffer()

    /// The socket must be nonblocking.
    init(_ socket: Socket) {
        self.socket = socket
    }

    private var isStream: Bool { socket.transport != .udp }

    /// Fails with the errno of the attempt, or ETIMEDOUT.
    func connect(_ address: SocketAddress, within milliseconds: Int) throws(CallFailure) {
        if try socket.connect(address) { return }
        guard try socket.descriptor.poll(Int16(POLLOUT), milliseconds: Int32(milliseconds)) != 0 else {
            throw CallFailure("connect", "\(address)", errno: ETIMEDOUT)
        }
        let error = socket.takeError()
        if error != 0 { throw CallFailure("connect", "\(address)", errno: error) }
    }

    /// Sends a datagram, or a line with its newline.
    func send(_ request: [UInt8], to address: SocketAddress?, within milliseconds: Int) throws(CallFailure) {
        guard isStream else { return try socket.sendDatagram(request, to: address) }
        var rest = (request + [UInt8(ascii: "\n")])[...]
        while !rest.isEmpty {
            if let sent = try socket.send(rest) {
                rest = rest.dropFirst(sent)
            } else if try socket.descriptor.poll(Int16(POLLOUT), milliseconds: Int32(milliseconds)) == 0 {
                throw CallFailure("send", errno: ETIMEDOUT)
            }
        }
    }

    /// One datagram with its source, or one line (without newline) with nil. ETIMEDOUT when none comes, ENODATA when
    /// the stream ends first.
    mutating func receive(within milliseconds: Int) throws(CallFailure) -> (bytes: [UInt8], source: SocketAddress?) {
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while true {
            if isStream {
                if let line = input.next() { return (line, nil) }
                if let bytes = try socket.receive(upTo: 65536) {
                    if bytes.isEmpty { throw CallFailure("recv", errno: ENODATA) }
                    input.append(bytes)
                    continue
                }
            } else if let datagram = try socket.receiveDatagram() {
                return (datagram.payload, datagram.source)
            }
            let left = ContinuousClock.now.duration(to: end)
            guard left > .zero, try socket.descriptor.waitReadable(milliseconds: left.wholeMilliseconds + 1) else {
                throw CallFailure("recv", errno: ETIMEDOUT)
            }
        }
    }

    /// A request of at least `size` bytes (the newline of a stream counts) that asks for a reply of `replySize`.
    func request(_ text: String, size: Int, replySize: Int = 0) -> [UInt8] {
        var bytes = Array((replySize > 0 ? "reply=\(replySize);" + text : text).utf8)
        let missing = size - bytes.count - (isStream ? 1 : 0)
        if missing > 0 { bytes += [UInt8](repeating: UInt8(ascii: "x"), count: missing) }
        return bytes
    }
}

extension Duration {
    /// Rounded down.
    var wholeMilliseconds: Int32 {
        Int32(clamping: components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
    }
}
