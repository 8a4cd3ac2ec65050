// The IPv6 header with its extension headers (RFC 8200). The payload length is right unless it is set.

package import NetworkTypes

package struct IPv6Header: Equatable, Sendable {
    package var source: IPAddress
    package var destination: IPAddress
    /// Hop limit.
    package var hops: UInt8
    /// DSCP and ECN.
    package var trafficClass: UInt8
    /// 20 bits.
    package var flowLabel: UInt32
    package var extensions: [IPv6Extension]
    /// Of all that follows the fixed 40 bytes, if it is to contradict what is there.
    package var payloadLength: UInt16?

    package init(
        from source: IPAddress, to destination: IPAddress, hops: UInt8 = 64, trafficClass: UInt8 = 0,
        flowLabel: UInt32 = 0, extensions: [IPv6Extension] = []
    ) {
        self.source = source
        self.destination = destination
        self.hops = hops
        self.trafficClass = trafficClass
        self.flowLabel = flowLabel
        self.extensions = extensions
    }

    func bytes(transport: UInt8, contentCount: Int) -> [UInt8] {
        var chain: [UInt8] = []
        for (index, header) in extensions.enumerated() {
            let next = index + 1 < extensions.count ? extensions[index + 1].kind.rawValue : transport
            chain += header.bytes(next: next)
        }
        var bytes = (6 << 28 | UInt32(trafficClass) << 20 | flowLabel & 0xfffff).networkOrder
        bytes.append(payloadLength ?? UInt16(truncatingIfNeeded: chain.count + contentCount))
        bytes += [extensions.first?.kind.rawValue ?? transport, hops] + source.bytes + destination.bytes + chain
        return bytes
    }

    /// The header at the front with all the extension headers that can be read, the number of the protocol or of the
    /// header after them, and where the rest is that the packet says to be its own.
    static func read(_ bytes: [UInt8]) throws(UnreadablePacket) -> (Self, transport: UInt8, extent: Range<Int>) {
        guard bytes.count >= 40, let source = IPAddress(bytes: bytes[8..<24]),
            let destination = IPAddress(bytes: bytes[24..<40])
        else { throw UnreadablePacket(reason: "\(bytes.count) bytes end in the IPv6 header", bytes: bytes) }
        let first: UInt32 = bytes.integer(at: 0)
        var header = IPv6Header(
            from: source, to: destination, hops: bytes[7], trafficClass: UInt8(first >> 20 & 255),
            flowLabel: first & 0xfffff)
        let length = bytes.integer(at: 4, as: UInt16.self)
        var end = 40 + Int(length)
        if end > bytes.count {
            header.payloadLength = length
            end = bytes.count
        }
        var next = bytes[6]
        var reader = ByteReader(bytes[40..<end])
        while !header.isLaterFragment, let kind = IPv6Extension.Kind(rawValue: next),
            let (read, following) = IPv6Extension.read(kind, from: &reader)
        {
            header.extensions.append(read)
            next = following
        }
        return (header, next, (end - reader.rest.count)..<end)
    }

    var isLaterFragment: Bool { extensions.contains { $0.fragmentOffset > 0 } }
}
