// Interfaces, addresses and their changes, in a network namespace of the test's own.

import KernelTestSupport
import NetworkTypes
import Testing

@testable import Netlink

@Suite("Addresses", .enabled(if: canUseKernel))
struct AddressTests {
    @Test("A fresh namespace has the loopback interface and its two addresses")
    func loopback() throws {
        let (interfaces, addresses) = try inNewNetworkNamespace {
            var route = try RouteSocket()
            return (try route.interfaces(), try route.addresses())
        }
        let lo = try #require(interfaces.first { $0.name == "lo" })
        #expect(lo.isLoopback && lo.isUp && lo.index == 1 && lo.mtu == 65536 && lo.kind == nil)
        let own = addresses.filter { $0.interfaceName == "lo" }
        #expect(own.map(\.address).contains(address("127.0.0.1")))
        #expect(own.map(\.address).contains(address("::1")))
        #expect(own.allSatisfy { $0.scope == .host })
        #expect(own.first { $0.address == address("127.0.0.1") }?.prefixLength == 8)
    }

    @Test("Addresses come with prefix, scope, interface and flags; ours, not the peer's, on a point-to-point interface")
    func attributes() throws {
        let (interfaces, addresses) = try inNewNetworkNamespace {
            try ip(
                """
                link add left type veth peer name right
                link add over type bridge
                link set left master over
                addr add 10.1.2.3/24 dev left
                addr add 10.1.2.4/24 dev left
                addr add 10.9.0.1 peer 10.9.0.2/32 dev left
                addr add fd00::5/64 dev right nodad
                addr add fe80::7/64 dev right nodad
                link set right up
                """)
            var route = try RouteSocket()
            return (try route.interfaces(), try route.addresses())
        }
        let left = try #require(interfaces.first { $0.name == "left" })
        let right = try #require(interfaces.first { $0.name == "right" })
        let over = try #require(interfaces.first { $0.name == "over" })
        #expect(left.kind == "veth" && over.kind == "bridge")
        #expect(left.masterIndex == over.index && left.peerIndex == right.index && right.masterIndex == nil)
        #expect(!left.isUp && right.isUp && left.hardwareAddress.count == 6)
        let byAddress = Dictionary(uniqueKeysWithValues: addresses.map { ($0.address, $0) })
        let first = try #require(byAddress[address("10.1.2.3")])
        #expect(first.prefixLength == 24 && first.scope == .universe && first.interfaceIndex == left.index)
        #expect(!first.isSecondary)
        #expect(byAddress[address("10.1.2.4")]?.isSecondary == true)
        #expect(byAddress[address("10.9.0.1")] != nil && byAddress[address("10.9.0.2")] == nil)
        #expect(byAddress[address("fd00::5")]?.interfaceName == "right")
        #expect(byAddress[address("fd00::5")]?.isTentative == false)
        #expect(byAddress[address("fe80::7")]?.scope == .link)
    }

    @Test("Many addresses arrive complete over several datagrams")
    func manyAddresses() throws {
        let addresses = try inNewNetworkNamespace {
            try ip("link add many type bridge")
            try ip((0..<1500).map { "addr add 10.5.\($0 / 250).\($0 % 250 + 1)/32 dev many" }.joined(separator: "\n"))
            var route = try RouteSocket()
            return try route.addresses()
        }
        #expect(Set(addresses.filter { $0.interfaceName == "many" }.map(\.address)).count == 1500)
    }

    @Test("A monitor reports an address and an interface as they come and go")
    func monitor() throws {
        let changes = try inNewNetworkNamespace {
            var monitor = try AddressMonitor()
            #expect(try monitor.next(timeout: .zero) == [])
            try ip(
                """
                link add bridge7 type bridge
                addr add 10.7.7.7/32 dev bridge7
                addr del 10.7.7.7/32 dev bridge7
                link del bridge7
                """)
            var changes: [AddressChange] = []
            while case let more = try monitor.next(timeout: .milliseconds(200)), !more.isEmpty { changes += more }
            return changes
        }
        let story = changes.compactMap { change -> String? in
            switch change {
            case .addressSet(let set) where set.address == address("10.7.7.7"): "\(set.interfaceName) has it"
            case .addressRemoved(let removed) where removed.address == address("10.7.7.7"): "it is gone"
            case .interfaceSet(let set) where set.name == "bridge7": "\(set.name) is there"
            case .interfaceRemoved(let removed) where removed.name == "bridge7": "\(removed.name) is gone"
            case .addressSet, .addressRemoved, .interfaceSet, .interfaceRemoved, .defaultRoutesChanged, .overflow: nil
            }
        }
        let order = ["bridge7 is there", "bridge7 has it", "it is gone", "bridge7 is gone"]
        #expect(order.compactMap { story.firstIndex(of: $0) }.count == 4)
        #expect(order.compactMap { story.firstIndex(of: $0) }.sorted() == order.compactMap { story.firstIndex(of: $0) })
    }

    @Test("An interface that leaves its bridge is not reported as removed")
    func leavingABridge() throws {
        let changes = try inNewNetworkNamespace {
            try ip("link add port type veth peer name peer\nlink add over type bridge\nlink set port master over up")
            var monitor = try AddressMonitor()
            try ip("link set port nomaster")
            var changes: [AddressChange] = []
            while case let more = try monitor.next(timeout: .milliseconds(200)), !more.isEmpty { changes += more }
            return changes
        }
        let set = changes.compactMap { if case .interfaceSet(let interface) = $0 { interface } else { nil } }
        #expect(set.contains { $0.name == "port" })
        #expect(!changes.contains { if case .interfaceRemoved = $0 { true } else { false } })
    }

    @Test("Changes that came too fast are reported as an overflow, and the monitor goes on")
    func overflow() throws {
        let (overflowed, goesOn) = try inNewNetworkNamespace {
            var monitor = try AddressMonitor()
            try ip("link add many type bridge")
            try ip((0..<3000).map { "addr add 10.5.\($0 / 250).\($0 % 250 + 1)/32 dev many" }.joined(separator: "\n"))
            var overflowed = false
            while case let more = try monitor.next(timeout: .milliseconds(100)), !more.isEmpty {
                overflowed = overflowed || more.contains(.overflow)
            }
            try ip("addr add 10.6.6.6/32 dev many")
            let after = try monitor.next(timeout: .seconds(5))
            return (overflowed, !after.isEmpty)
        }
        #expect(overflowed)
        #expect(goesOn)
    }
}
