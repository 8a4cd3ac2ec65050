// Random packets from a seed, the same ones each time. Here: frames, addresses and headers of good packets; contents
// are in PacketGenerator+Contents.swift, conversations in +Conversations, bad packets in +Mangling.

package import NetworkTypes

package struct PacketGenerator: Sendable {
    /// Services and backends that half of the packets go to, or come from.
    package var targets: [AddressAndPort]
    private var generator: SplitMix64

    package init(seed: UInt64, targets: [AddressAndPort] = []) {
        generator = SplitMix64(state: seed)
        self.targets = targets
    }

    /// A good packet of any kind, whole or a fragment.
    package mutating func packet(_ family: AddressFamily? = nil) -> Packet {
        let packet = wholePacket(family, depth: 0)
        guard oneIn(12) else { return packet }
        let fragments = packet.fragments(of: number(8...600), identification: random())
        return pick(fragments)
    }

    /// A good packet in a frame with up to two VLAN tags, at times padded as the shortest frames are.
    package mutating func frame(_ family: AddressFamily? = nil) -> Frame {
        var ethernet = Ethernet.toNode
        if oneIn(6) { ethernet.vlans.append(VLANTag(number(1...4094), priority: number(0...7))) }
        if oneIn(12) { ethernet.vlans.insert(.service(number(1...4094)), at: 0) }
        let frame = packet(family).framed(ethernet)
        return oneIn(3) ? frame.padded() : frame
    }

    // MARK: Headers

    /// An empty packet between two peers; one of them is a target, or somebody else.
    mutating func header(_ family: AddressFamily) -> (Packet, ports: (source: UInt16, destination: UInt16)) {
        let peers = peers(family)
        var packet = Packet.ip(
            from: peers.client.address, to: peers.server.address, hops: number(1...255),
            trafficClass: oneIn(2) ? 0 : random())
        packet.ipv4?.identification = random()
        packet.ipv4?.dontFragment = oneIn(2)
        if oneIn(8) { packet.ipv4?.options = pick(Self.ipv4Options) }
        packet.ipv6?.flowLabel = number(0...0xfffff)
        if oneIn(6) { packet.ipv6?.extensions = (0..<number(1...3)).map { _ in ipv6Extension(family) } }
        let ports = (peers.client.port, peers.server.port)
        guard oneIn(4) else { return (packet, ports) }
        return (packet.swapped, (ports.1, ports.0))
    }

    mutating func peers(_ family: AddressFamily) -> (client: AddressAndPort, server: AddressAndPort) {
        let client = AddressAndPort(address: address(family), port: random())
        let known = targets.filter { $0.address.family == family }
        guard !known.isEmpty, oneIn(2) else {
            return (client, AddressAndPort(address: address(family), port: random()))
        }
        return (client, pick(known))
    }

    /// From the documentation's networks (RFC 5737, RFC 3849).
    mutating func address(_ family: AddressFamily) -> IPAddress {
        switch family {
        case .ipv4: IPAddress(ipv4: 0xcb00_7100 | number(1...254))
        case .ipv6: IPAddress(high: 0x2001_0db8_0000_0000 | number(0...0xffff), low: random())
        }
    }

    /// No-operations, record route, router alert.
    private static let ipv4Options: [[UInt8]] = [
        [1, 1, 1, 1], [7, 7, 4, 0, 0, 0, 0], [148, 4, 0, 0], [UInt8](repeating: 1, count: 40),
    ]

    mutating func ipv6Extension(_ family: AddressFamily) -> IPv6Extension {
        switch number(0...3) as Int {
        case 0: .hopByHop()
        case 1: .destination([1, UInt8(12)] + [UInt8](repeating: 0, count: 12))
        case 2: .routing(type: 0, segmentsLeft: number(0...1), via: [address(family)])
        default: .fragment(identification: random())
        }
    }

    // MARK: Choices

    mutating func random<Value: FixedWidthInteger>() -> Value {
        Value(truncatingIfNeeded: generator.next())
    }

    mutating func number<Value: FixedWidthInteger>(_ range: ClosedRange<Value>) -> Value {
        Value.random(in: range, using: &generator)
    }

    mutating func oneIn(_ count: Int) -> Bool { number(1...count) == 1 }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[number(0...(elements.count - 1))] }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in random() } }

    mutating func family(_ family: AddressFamily?) -> AddressFamily { family ?? (oneIn(2) ? .ipv4 : .ipv6) }
}
