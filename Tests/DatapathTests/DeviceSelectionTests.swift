// Which hooks go on which devices, for the nodes that there are: a table of topologies, each with what must be attached.
// Written as `name: hooks`, where T is TC in both directions, X is XDP, and * marks what leads out of the node.

import Datapath
import Netlink
import NetworkTypes
import Testing

/// One node and one way of choosing.
struct Topology: CustomTestStringConvertible, Sendable {
    let name: String
    let devices: [NetworkDevice]
    var settings = PacketSettings()
    let expected: [String]
    /// Words of the reasons why devices have nothing.
    var skipped: [String] = []

    var testDescription: String { name }
}

@Suite("Choice of devices")
struct DeviceSelectionTests {
    @Test("hooks go where packets are seen", arguments: Topology.all)
    func table(_ topology: Topology) {
        let selection = DeviceSelection(of: topology.devices, topology.settings)
        #expect(selection.attachments.map(Self.text) == topology.expected)
        #expect(selection.attachments.count + selection.skipped.count == topology.devices.count)
        for words in topology.skipped {
            #expect(selection.skipped.contains { "\($0.name) \($0.reason)".contains(words) }, "\(selection.skipped)")
        }
    }

    @Test("with no devices wanted there is nothing, not even reasons")
    func nothing() {
        let selection = DeviceSelection(of: Topology.plainNode, PacketSettings(devices: .none))
        #expect(selection.attachments.isEmpty && selection.skipped.isEmpty)
    }

    @Test("the order of the list means nothing")
    func order() {
        for topology in Topology.all {
            let forwards = DeviceSelection(of: topology.devices, topology.settings)
            #expect(DeviceSelection(of: topology.devices.reversed(), topology.settings) == forwards)
        }
    }

    @Test("a list that was read while it changed, with devices in a circle, ends")
    func circle() {
        let devices = [
            device(1, "a", kind: "vlan", lower: 2, addresses: ["192.0.2.1/24"]),
            device(2, "b", kind: "vlan", lower: 1, addresses: ["192.0.2.2/24"]),
            device(3, "c", kind: "bridge", above: 4), device(4, "d", kind: "bridge", above: 3, route: true),
            device(5, "e", kind: "bond", above: 5, route: true),
        ]
        let selection = DeviceSelection(of: devices, PacketSettings())
        #expect(selection.attachments.map(\.name) == ["a", "b"])
    }

    @Test("an attachment knows what its packets begin with, its MTU, and whether VLANs are built on it")
    func facts() {
        let devices = [
            device(2, "eth0", route: true), device(3, "eth0.7", kind: "vlan", lower: 2),
            device(4, "wg0", kind: "wireguard", type: .none, mtu: 1420),
        ]
        let attachments = DeviceSelection(of: devices, PacketSettings()).attachments
        #expect(attachments.map(\.hasLinkHeader) == [true, true, false])
        #expect(attachments.map(\.carriesVLANs) == [true, false, false])
        #expect(attachments.map(\.mtu) == [1500, 1500, 1420])
    }

    private static func text(_ attachment: DeviceAttachment) -> String {
        let tc = attachment.hooks.isSuperset(of: [.tcIngress, .tcEgress]) ? "T" : ""
        return
            "\(attachment.name)\(attachment.isExternal ? "*" : ""): \(tc)\(attachment.hooks.contains(.xdp) ? "X" : "")"
    }
}

/// A device as the kernel would describe it.
func device(
    _ index: UInt32, _ name: String, kind: String? = nil, above: UInt32? = nil, lower: UInt32? = nil,
    elsewhere: Bool = false, type: HardwareType = .ethernet, mtu: UInt32 = 1500, addresses: [String] = [],
    route: Bool = false, isUp: Bool = true
) -> NetworkDevice {
    let flags: UInt32 = (isUp ? 1 : 0) | (type == .loopback ? 8 : 0)
    let interface = NetworkInterface(
        index: index, name: name, flags: flags, mtu: mtu, masterIndex: above, peerIndex: lower,
        peerIsElsewhere: elsewhere, kind: kind, hardwareType: type)
    let entries = addresses.map { text in
        let parts = text.split(separator: "/")
        return InterfaceAddress(
            address: IPAddress(String(parts[0]))!, prefixLength: UInt8(parts[1])!, interfaceIndex: index,
            interfaceName: name)
    }
    return NetworkDevice(interface: interface, addresses: entries, carriesDefaultRoute: route)
}
