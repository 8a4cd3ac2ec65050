// The fields that tests change to say what they expect, whatever the IP version and the transport. Members for one
// protocol are nil in packets of others; setting such a member then is a mistake in the test and traps.

package import NetworkTypes

extension Packet {
    package var source: IPAddress {
        get { either(\.source, \.source) }
        set { set(\.source, \.source, to: newValue) }
    }

    package var destination: IPAddress {
        get { either(\.destination, \.destination) }
        set { set(\.destination, \.destination, to: newValue) }
    }

    /// TTL or hop limit.
    package var hops: UInt8 {
        get { either(\.hops, \.hops) }
        set { set(\.hops, \.hops, to: newValue) }
    }

    /// DSCP and ECN: IPv4's TOS.
    package var trafficClass: UInt8 {
        get { either(\.trafficClass, \.trafficClass) }
        set { set(\.trafficClass, \.trafficClass, to: newValue) }
    }

    /// The two bits of ECN (RFC 3168): 0 not capable, 1 and 2 capable, 3 congestion experienced.
    package var ecn: UInt8 {
        get { trafficClass & 3 }
        set { trafficClass = trafficClass & ~3 | newValue & 3 }
    }

    package var ipv4: IPv4Header? {
        get { if case .ipv4(let header) = header { header } else { nil } }
        set { if let newValue, header.family == .ipv4 { header = .ipv4(newValue) } else { mistake(newValue, "IPv4") } }
    }

    package var ipv6: IPv6Header? {
        get { if case .ipv6(let header) = header { header } else { nil } }
        set { if let newValue, header.family == .ipv6 { header = .ipv6(newValue) } else { mistake(newValue, "IPv6") } }
    }

    package var tcp: TCPSegment? {
        get { if case .tcp(let segment) = content { segment } else { nil } }
        set { if let newValue, tcp != nil { content = .tcp(newValue) } else { mistake(newValue, "TCP") } }
    }

    package var udp: UDPDatagram? {
        get { if case .udp(let datagram) = content { datagram } else { nil } }
        set { if let newValue, udp != nil { content = .udp(newValue) } else { mistake(newValue, "UDP") } }
    }

    package var sctp: SCTPPacket? {
        get { if case .sctp(let packet) = content { packet } else { nil } }
        set { if let newValue, sctp != nil { content = .sctp(newValue) } else { mistake(newValue, "SCTP") } }
    }

    package var icmp: ICMPMessage? {
        get { if case .icmp(let message) = content { message } else { nil } }
        set { if let newValue, icmp != nil { content = .icmp(newValue) } else { mistake(newValue, "ICMP") } }
    }

    /// The packet in the tunnel.
    package var inner: Packet? {
        get { if case .packet(let packet) = content { packet } else { nil } }
        set { if let newValue, inner != nil { content = .packet(newValue) } else { mistake(newValue, "a tunnel") } }
    }

    /// The packet that an ICMP error is about, as far as it is quoted.
    package var quoted: Packet? {
        get { if case .error(_, let packet) = icmp?.body { packet } else { nil } }
        set {
            guard let newValue, var message = icmp, case .error(let word, _) = message.body else {
                return mistake(newValue, "an ICMP error")
            }
            message.body = .error(word: word, about: newValue)
            content = .icmp(message)
        }
    }

    /// The second word of an ICMP error, of which the MTU is the low half in ICMPv4 and the whole in ICMPv6.
    package var mtu: UInt32? {
        get {
            guard case .error(let word, _) = icmp?.body else { return nil }
            return header.family == .ipv4 ? word & 0xffff : word
        }
        set {
            guard let newValue, var message = icmp, case .error(_, let packet) = message.body else {
                return mistake(newValue, "an ICMP error")
            }
            message.body = .error(word: newValue, about: packet)
            content = .icmp(message)
        }
    }

    private func either<Value>(_ v4: KeyPath<IPv4Header, Value>, _ v6: KeyPath<IPv6Header, Value>) -> Value {
        switch header {
        case .ipv4(let header): header[keyPath: v4]
        case .ipv6(let header): header[keyPath: v6]
        }
    }

    private mutating func set<Value>(
        _ v4: WritableKeyPath<IPv4Header, Value>, _ v6: WritableKeyPath<IPv6Header, Value>, to value: Value
    ) {
        switch header {
        case .ipv4(var new):
            new[keyPath: v4] = value
            header = .ipv4(new)
        case .ipv6(var new):
            new[keyPath: v6] = value
            header = .ipv6(new)
        }
    }

    /// Optional chaining writes nothing back when there is nothing; only plain assignments come here with a value.
    func mistake(_ value: (some Any)?, _ name: String) {
        precondition(value == nil, "this packet is not \(name): \(self)")
    }
}
