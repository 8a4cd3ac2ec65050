// The frame of every netlink message: header, payload, attributes, each rounded up to four bytes (RFC 3549, 2.2). What
// the payloads mean is known to those who ask for them.

import CLibMNL

/// One message from the kernel.
struct NetlinkMessage {
    /// The kind (`nlmsg_type`).
    let type: UInt16
    /// The flags (`nlmsg_flags`).
    let flags: UInt16
    /// The number of the request that this answers; zero for notifications.
    let sequence: UInt32
    /// What follows the header, without the padding at the end.
    let payload: ArraySlice<UInt8>

    static let headerSize = 16
    /// `NLA_TYPE_MASK`: an attribute's kind without the two flag bits above it.
    private static let typeMask: UInt16 = 0x3fff

    /// The attributes after a fixed struct at the start of the payload. Of an attribute that is there twice, the last.
    func attributes(after size: Int) -> [UInt16: ArraySlice<UInt8>] {
        Self.attributes(in: payload.dropFirst(Self.aligned(size)))
    }

    /// The attributes that fill a slice; also used for attributes within attributes. Stops at the first that is cut
    /// off.
    static func attributes(in bytes: ArraySlice<UInt8>) -> [UInt16: ArraySlice<UInt8>] {
        var attributes: [UInt16: ArraySlice<UInt8>] = [:]
        var rest = bytes
        while let length = rest.load(UInt16.self).map(Int.init), let type = rest.load(UInt16.self, at: 2),
            length >= 4, length <= rest.count
        {
            attributes[type & typeMask] = rest.prefix(length).dropFirst(4)
            rest = rest.dropFirst(aligned(length))
        }
        return attributes
    }

    /// The payloads of all attributes of one kind that a slice holds: of a list.
    static func list(_ type: Int, in bytes: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var elements: [ArraySlice<UInt8>] = []
        var rest = bytes
        while let length = rest.load(UInt16.self).map(Int.init), let kind = rest.load(UInt16.self, at: 2),
            length >= 4, length <= rest.count
        {
            if Int(kind & typeMask) == type { elements.append(rest.prefix(length).dropFirst(4)) }
            rest = rest.dropFirst(aligned(length))
        }
        return elements
    }

    /// The messages of one datagram. Stops at the first that is cut off.
    static func messages(in datagram: ArraySlice<UInt8>) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        var rest = datagram
        while let header = rest.load(nlmsghdr.self), case let length = Int(header.nlmsg_len),
            length >= headerSize, length <= rest.count
        {
            messages.append(
                NetlinkMessage(
                    type: header.nlmsg_type, flags: header.nlmsg_flags, sequence: header.nlmsg_seq,
                    payload: rest.prefix(length).dropFirst(headerSize)))
            rest = rest.dropFirst(aligned(length))
        }
        return messages
    }

    static func aligned(_ size: Int) -> Int { (size + 3) & ~3 }
}

/// One message to the kernel, without its sequence number, which the socket gives it.
struct NetlinkRequest {
    let type: UInt16
    private(set) var flags: UInt16
    private(set) var body: [UInt8] = []

    init<Payload: BitwiseCopyable>(type: UInt16, flags: UInt16, payload: Payload) {
        self.type = type
        self.flags = flags | UInt16(NLM_F_REQUEST)
        body.append(raw: payload)
        pad()
    }

    /// Asks for an acknowledgement.
    mutating func acknowledge() { flags |= UInt16(NLM_F_ACK) }

    mutating func appendAttribute(_ type: UInt16, _ value: [UInt8]) {
        body.append(raw: UInt16(4 + value.count))
        body.append(raw: type)
        body += value
        pad()
    }

    func bytes(sequence: UInt32) -> [UInt8] {
        var header = nlmsghdr()
        header.nlmsg_len = UInt32(NetlinkMessage.headerSize + body.count)
        header.nlmsg_type = type
        header.nlmsg_flags = flags
        header.nlmsg_seq = sequence
        var bytes: [UInt8] = []
        bytes.append(raw: header)
        return bytes + body
    }

    private mutating func pad() {
        while !body.count.isMultiple(of: 4) { body.append(0) }
    }
}
