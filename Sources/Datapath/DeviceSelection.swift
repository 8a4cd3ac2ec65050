// The rule that says which hooks go on which devices of the node. Pure: the list of devices and the settings in, the
// list of attachments out. What the kernel then makes of them is PacketAttachments'.
//
// Three questions, in this order:
//
// 1. Which devices lead out of the node? Chosen by the operator's patterns, or by what the node uses them for. A choice
//    that names a device where packets are not seen moves to where they are: from a bridge to those of its ports that
//    lead out (eth0 of a hypervisor's br0, and none of the veths of cni0), from a member of a bond to the bond.
// 2. Where does TC go? On every device at which packets are seen, whether it leads out or not: replies of masqueraded
//    connections come in by pods' devices. Not on bridges, whose packets all pass a port, nor on members of a bond: a
//    packet must not be seen twice by the same device's hooks. Devices that are down are attached as well, so that
//    their first packet is seen.
// 3. Where does XDP go? Only where packets of devices that lead out physically arrive: it runs in the driver. A bond
//    passes XDP on to its members' drivers by itself. Nothing goes below VLANs: a card that takes tags out does not tell
//    XDP, which would send one VLAN's packets to another. Nothing goes on a veth that is not named: whether its other end
//    takes frames from XDP cannot be seen from here, and where it does not they are lost without a trace. Tunnels and
//    devices without an Ethernet header have nothing that XDP would be first at.

package import Netlink

package struct DeviceSelection: Hashable, Sendable {
    /// By index.
    package private(set) var attachments: [DeviceAttachment] = []
    /// Devices that nothing is attached to; by index.
    package private(set) var skipped: [SkippedDevice] = []

    package init(of devices: [NetworkDevice], _ settings: PacketSettings) {
        guard settings.devices != .none else { return }
        let view = DeviceView(devices, settings.devices)
        let external = view.external()
        let xdp = settings.xdp == .off ? [] : view.xdpPlaces(for: external)
        for device in devices.sorted(by: { $0.index < $1.index }) {
            if let reason = view.reasonToSkip(device) {
                skipped.append(SkippedDevice(index: device.index, name: device.name, reason: reason))
                continue
            }
            attachments.append(
                DeviceAttachment(
                    index: device.index, name: device.name, isExternal: external.contains(device.index),
                    hasLinkHeader: device.interface.hardwareType == .ethernet,
                    carriesVLANs: view.carriesVLANs(device.index), mtu: device.interface.mtu,
                    hooks: xdp.contains(device.index) ? [.tcEgress, .tcIngress, .xdp] : [.tcEgress, .tcIngress]))
        }
    }
}

/// The devices as the rule looks at them.
private struct DeviceView {
    private let devices: [UInt32: NetworkDevice]
    private let roles: [UInt32: DeviceRole]
    private let isExcluded: (NetworkDevice) -> Bool
    /// Whether the choice falls on a device; packets may be seen elsewhere.
    private let isChosen: (NetworkDevice) -> Bool
    /// Whether one of the operator's patterns is for it.
    private let isNamed: (NetworkDevice) -> Bool

    init(_ list: [NetworkDevice], _ choice: DeviceChoice) {
        let devices = Dictionary(list.map { ($0.index, $0) }) { $1 }
        let roles = devices.mapValues { DeviceRole($0.interface, among: devices) }
        var positive: [NamePattern] = [], negative: [NamePattern] = []
        if case .patterns(let patterns) = choice {
            positive = patterns.filter { !$0.hasPrefix("!") }.map { NamePattern($0) }
            negative = patterns.filter { $0.hasPrefix("!") }.map { NamePattern($0.dropFirst()) }
        }
        self.devices = devices
        self.roles = roles
        isNamed = { device in positive.contains { $0.matches(device.name) } }
        isExcluded = { device in negative.contains { $0.matches(device.name) } }
        isChosen = { device in
            guard positive.isEmpty else { return positive.contains { $0.matches(device.name) } }
            return roles[device.index] == .tunnel || device.carriesDefaultRoute || device.hasNodeAddress
        }
    }

    /// The devices that lead out of the node and at which packets are seen.
    func external() -> Set<UInt32> {
        var external: Set<UInt32> = []
        for device in devices.values where isChosen(device) { external.formUnion(seenAt(device.index, depth: 0)) }
        return external
    }

    /// The devices whose drivers the packets of external devices arrive at. Nothing where a device on the way is
    /// excluded or in another namespace.
    func xdpPlaces(for external: Set<UInt32>) -> Set<UInt32> {
        var places: Set<UInt32> = []
        for index in external { places.formUnion(arrival(of: index, depth: 0)) }
        return places
    }

    func carriesVLANs(_ index: UInt32) -> Bool {
        devices.values.contains { $0.interface.kind == "vlan" && $0.interface.lowerIndex == index }
    }

    /// Why nothing is attached to a device; nil for one that is attached.
    func reasonToSkip(_ device: NetworkDevice) -> String? {
        if isExcluded(device) { return "is excluded by the settings" }
        switch roles[device.index] ?? .plain {
        case .unsuitable(let reason): return reason
        case .member(let above): return "is part of \(devices[above]?.name ?? "another"), where its packets are seen"
        case .switching:
            guard isChosen(device), uplinkPorts(of: device.index).isEmpty else {
                return "has its packets seen at its ports"
            }
            return "has no port that can be told to lead out of the node; name one in the settings if one does"
        case .plain, .tunnel: return nil
        }
    }

    /// Where the packets of a device that leads out are seen by TC.
    private func seenAt(_ index: UInt32, depth: Int) -> Set<UInt32> {
        guard depth < Self.maxDepth, let device = devices[index], !isExcluded(device) else { return [] }
        switch roles[index] ?? .plain {
        case .unsuitable: return []
        case .member(let above): return seenAt(above, depth: depth + 1)
        case .switching: return uplinkPorts(of: index)
        case .plain, .tunnel: return [index]
        }
    }

    /// The ports of a bridge that lead out. A port is no bridge itself, and no member of a bond: each device is part of
    /// one other at most.
    private func uplinkPorts(of index: UInt32) -> Set<UInt32> {
        Set(
            devices.values.filter {
                $0.interface.masterIndex == index && $0.interface.isUplinkKind && reasonToSkip($0) == nil
            }.map(\.index))
    }

    /// Where the packets that TC sees at a device are in a driver.
    private func arrival(of index: UInt32, depth: Int) -> Set<UInt32> {
        guard depth < Self.maxDepth, let device = devices[index], !isExcluded(device) else { return [] }
        if let lower = device.interface.lowerIndex { return arrival(of: lower, depth: depth + 1) }
        switch roles[index] ?? .plain {
        case .unsuitable, .tunnel: return []
        case .member(let above): return arrival(of: above, depth: depth + 1)
        case .switching:
            return uplinkPorts(of: index).reduce(into: []) { $0.formUnion(arrival(of: $1, depth: depth + 1)) }
        case .plain:
            guard device.interface.hardwareType == .ethernet, !device.interface.isStackedElsewhere,
                !carriesVLANs(index), !device.interface.isPair || isNamed(device)
            else { return [] }
            return [index]
        }
    }

    /// The kernel stacks at most eight devices (`MAX_NEST_DEV`); a list that was read while it changed may hold a circle.
    private static let maxDepth = 8
}

extension NetworkInterface {
    /// A VLAN or its like whose lower device is in another namespace: its packets never pass a driver here.
    fileprivate var isStackedElsewhere: Bool { peerIsElsewhere && !isPair }
}
