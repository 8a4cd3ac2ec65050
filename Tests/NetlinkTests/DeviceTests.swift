// Devices with what the node does with them, and changes of default routes, in a network namespace of the test's own.

import CLibMNL
import KernelTestSupport
import NetworkTypes
import Testing

@testable import Netlink

@Suite("Devices", .enabled(if: canUseKernel))
struct DeviceTests {
    @Test("A device comes with its addresses, and with the default routes of both families over it")
    func routes() throws {
        let devices = try inNewNetworkNamespace {
            try ip(
                """
                link add near type veth peer name far
                link add east type veth peer name west
                addr add 192.0.2.1/24 dev near
                addr add 2001:db8::1/64 dev east nodad
                link set near up
                link set far up
                link set east up
                link set west up
                route add default via 192.0.2.2 dev near
                route add default via 2001:db8::2 dev east
                route add 203.0.113.0/24 via 192.0.2.2 dev far onlink
                route add unreachable default metric 9999
                route add default via 192.0.2.9 dev west onlink table 77
                """)
            var route = try RouteSocket()
            return try route.devices()
        }
        #expect(devices.map(\.index) == devices.map(\.index).sorted())
        #expect(devices.filter(\.carriesDefaultRoute).map(\.name).sorted() == ["east", "near"])
        let near = try #require(devices.first { $0.name == "near" })
        #expect(near.addresses.contains { $0.address == address("192.0.2.1") && $0.prefixLength == 24 })
        #expect(near.interface.hardwareType == .ethernet && near.interface.kind == "veth")
        let lo = try #require(devices.first { $0.name == "lo" })
        #expect(lo.interface.hardwareType == .loopback && lo.addresses.contains { $0.address == address("127.0.0.1") })
    }

    @Test("Every next hop of a multipath default route counts", arguments: [4, 6])
    func multipath(family: Int) throws {
        let names = try inNewNetworkNamespace {
            let (network, length) = family == 4 ? ("192.0.", "/24") : ("2001:db8:", "/64 nodad")
            let (end, everything) = family == 4 ? (".", "0.0.0.0/0") : ("::", "::/0")
            try ip(
                """
                link add near type veth peer name far
                link add east type veth peer name west
                addr add \(network)2\(end)1\(length) dev near
                addr add \(network)3\(end)1\(length) dev east
                link set near up
                link set far up
                link set east up
                link set west up
                route add \(everything) nexthop via \(network)2\(end)2 dev near nexthop via \(network)3\(end)2 dev east
                """)
            var route = try RouteSocket()
            return try route.devices().filter(\.carriesDefaultRoute).map(\.name)
        }
        #expect(names.sorted() == ["east", "near"])
    }

    @Test("Next hops that are objects of their own count as if they were written into the route")
    func nextHopObjects() throws {
        let count = try inNewNetworkNamespace {
            try ip(
                """
                link add near type veth peer name far
                link add east type veth peer name west
                addr add 192.0.2.1/24 dev near
                addr add 198.51.100.1/24 dev east
                link set near up
                link set far up
                link set east up
                link set west up
                nexthop add id 1 via 192.0.2.2 dev near
                nexthop add id 2 via 198.51.100.2 dev east
                nexthop add id 3 group 1/2
                route add default nhid 3
                """)
            var route = try RouteSocket()
            return try route.defaultRouteInterfaces().count
        }
        #expect(count == 2)
    }

    @Test("A peer in another namespace is known to be there")
    func peerElsewhere() throws {
        let devices = try inNewNetworkNamespace {
            try ip("link add here type veth peer name there\nlink add left type veth peer name right")
            let name = uniqueName("martlet")
            try ip("netns add \(name)\nlink set there netns \(name)")
            defer { try? ip("netns del \(name)") }
            var route = try RouteSocket()
            return try route.devices()
        }
        #expect(devices.first { $0.name == "here" }?.interface.peerIsElsewhere == true)
        #expect(devices.first { $0.name == "left" }?.interface.peerIsElsewhere == false)
        #expect(!devices.contains { $0.name == "there" })
    }

    @Test(
        "Kinds that stack on others name the device below; kinds that this kernel lacks are left out",
        arguments: ["vlan id 7", "macvlan", "vxlan id 7 dstport 4789", "bond", "dummy", "ifb", "bridge", "wireguard"])
    func kinds(kind: String) throws {
        let devices: [NetworkDevice]? = try inNewNetworkNamespace {
            try ip("link add below type veth peer name peer")
            let stacks = ["vlan", "macvlan"].contains(kind.prefix { $0 != " " })
            let way = kind.hasPrefix("vxlan") ? "\(kind) dev below" : kind
            do {
                try ip("link add \(stacks ? "link below " : "")name over type \(way)")
            } catch {
                return nil
            }
            var route = try RouteSocket()
            return try route.devices()
        }
        guard let devices else { return }
        let over = try #require(devices.first { $0.name == "over" })
        #expect(over.interface.kind.map { kind.hasPrefix($0) } == true)
        #expect(over.interface.hardwareType == (kind == "wireguard" ? .none : .ethernet))
        if kind.hasPrefix("vlan") || kind.hasPrefix("macvlan") {
            #expect(over.interface.peerIndex == devices.first { $0.name == "below" }?.index)
        }
    }

    @Test("A monitor that was asked for routes reports default routes and no others")
    func monitor() throws {
        let (defaults, others, unasked) = try inNewNetworkNamespace {
            try ip(
                "link add near type veth peer name far\naddr add 192.0.2.1/24 dev near\nlink set near up\nlink set far up"
            )
            var monitor = try AddressMonitor(routes: true), plain = try AddressMonitor()
            _ = try changes(of: &monitor)
            _ = try changes(of: &plain)
            try ip("route add 203.0.113.0/24 via 192.0.2.2\nroute add default via 192.0.2.2 table 77")
            let others = try changes(of: &monitor).filter { $0 == .defaultRoutesChanged }.count
            try ip("route add default via 192.0.2.2\nroute del default via 192.0.2.2")
            let defaults = try changes(of: &monitor).filter { $0 == .defaultRoutesChanged }.count
            return (defaults, others, try changes(of: &plain))
        }
        #expect(defaults == 2)
        #expect(others == 0)
        #expect(!unasked.contains(.defaultRoutesChanged))
    }

    /// What comes until there is a pause; datagrams without anything of interest come as empty lists.
    private func changes(of monitor: inout AddressMonitor) throws -> [AddressChange] {
        var changes: [AddressChange] = []
        let end = ContinuousClock.now + .milliseconds(300)
        while ContinuousClock.now < end { changes += try monitor.next(timeout: .milliseconds(50)) }
        return changes
    }

    @Test("A route that is cut off anywhere is no default route, and no next hop of it is made up")
    func truncation() {
        var header = rtmsg()
        header.rtm_family = 2
        header.rtm_table = 254
        header.rtm_type = 1
        var request = NetlinkRequest(type: 24, flags: 0, payload: header)
        var hops: [UInt8] = []
        for index in [UInt32(5), 6] {
            hops += [8, 0, 0, 0]
            hops.append(raw: index)
        }
        request.appendAttribute(UInt16(RTA_MULTIPATH.rawValue), hops)
        let payload = request.body
        let whole = NetlinkMessage(type: 24, flags: 0, sequence: 0, payload: payload[...])
        #expect(DefaultRoute(whole)?.interfaces == [5, 6])
        for length in 0..<payload.count {
            let part = NetlinkMessage(type: 24, flags: 0, sequence: 0, payload: payload[..<length])
            #expect(DefaultRoute(part)?.interfaces.isEmpty != false)
        }
    }
}
