// The addresses of the packet benchmark: clients, services, backends, and the one neighbour that everything comes from and
// goes to. Nothing of it is ever on a wire.

import NetworkTypes
import PacketKit

enum PacketPlace {
    static let device = "eth0"
    static let port: UInt16 = 80
    static let firstClientPort: UInt16 = 1024
    static let backendPort: UInt16 = 8080
    static let nodeAddresses: [IPAddress] = ["192.168.50.1", "fd50::1"]

    /// All that the kernel must know to find the way: `ip` commands for the node.
    static let routes = [
        "neigh replace 192.168.50.254 lladdr 02:00:00:00:00:fe dev \(device) nud permanent",
        "neigh replace fd50::fe lladdr 02:00:00:00:00:fe dev \(device) nud permanent",
        "route replace default via 192.168.50.254 dev \(device)", "route replace default via fd50::fe dev \(device)",
    ]

    static func client(isIPv6: Bool) -> IPAddress { isIPv6 ? "2001:db8:1::1" : "192.0.2.1" }
    static func stranger(isIPv6: Bool) -> IPAddress { isIPv6 ? "2001:db8:2::1" : "198.51.100.1" }

    static func clusterIP(_ service: Int, isIPv6: Bool) -> IPAddress {
        moved(isIPv6 ? "fd00:96::" : "10.96.0.0", by: service)
    }

    static func externalIP(_ service: Int, isIPv6: Bool) -> IPAddress {
        moved(isIPv6 ? "2001:db8:3::" : "198.18.0.0", by: service)
    }

    static func endpoint(_ number: Int, isIPv6: Bool) -> IPAddress {
        moved(isIPv6 ? "fd00:128::1" : "10.128.0.1", by: number)
    }

    private static func moved(_ address: IPAddress, by number: Int) -> IPAddress {
        IPAddress(high: address.high, low: address.low + UInt64(number))
    }

    /// The first packet of a case; others differ in addresses and ports.
    static func frame(of packet: PacketCase, opening: Bool) -> Frame {
        let destination =
            packet.kind == .stranger ? stranger(isIPv6: packet.isIPv6) : externalIP(0, isIPv6: packet.isIPv6)
        let header = Packet.ip(from: client(isIPv6: packet.isIPv6), to: destination)
        let payload = [UInt8](repeating: 0x55, count: 64)
        guard !packet.isUDP else { return header.udp(from: firstClientPort, to: port, payload: payload).framed() }
        return header.tcp(from: firstClientPort, to: port, opening ? [.syn] : [.ack], payload: payload).framed()
    }
}
