// What the programs are told of a device: `devices` of bpf/abi/packets.h. Pure.

import CDatapathABI
import DatapathImage
import Netlink
import NetworkTypes

struct DeviceDescription {
    let index: UInt32
    private(set) var record: dp_device

    /// Every device but loopback: also those that packets only leave by, such as a bridge whose ports have the hooks. It
    /// leads out if one of its ports does.
    static func all(
        _ devices: [NetworkDevice], _ selection: DeviceSelection, _ traffic: NodeTraffic
    ) -> [DeviceDescription] {
        let known = Dictionary(devices.map { ($0.index, $0) }) { $1 }
        let fallback = PerFamily { nodeAddress(of: $0, among: devices) }
        let external = Set(selection.attachments.filter(\.isExternal).map(\.index))
        let bridges = Set(external.compactMap { known[$0]?.interface.masterIndex })
        return devices.filter { !$0.interface.isLoopback }.map { device in
            let isExternal = external.contains(device.index) || bridges.contains(device.index)
            var flags: UInt32 = isExternal ? DP_DEVICE_EXTERNAL.rawValue : 0
            if traffic.podDevices.matches(device, among: known) { flags |= DP_DEVICE_POD_LOCAL.rawValue }
            let own = PerFamily { family in device.bridged(known).address(of: family) ?? fallback[family] }
            return DeviceDescription(
                index: device.index,
                record: dp_device(
                    ipv4: own[.ipv4].map { dp_address($0) } ?? dp_address(),
                    ipv6: own[.ipv6].map { dp_address($0) } ?? dp_address(), flags: flags, mtu: device.interface.mtu))
        }
    }

    func sendingXDP(_ isSending: Bool) -> DeviceDescription {
        var copy = self
        if isSending { copy.record.flags |= DP_DEVICE_XDP_OUT.rawValue }
        return copy
    }

    /// For devices without an address of their own, such as pods' host-side ones: an address that others know the node
    /// by, that of the default route's device first.
    private static func nodeAddress(of family: AddressFamily, among devices: [NetworkDevice]) -> IPAddress? {
        let ordered = devices.filter(\.carriesDefaultRoute) + devices.filter { !$0.carriesDefaultRoute }
        return ordered.lazy.compactMap { $0.address(of: family) }.first
    }
}

extension NodeTraffic.DeviceDetector {
    fileprivate func matches(_ device: NetworkDevice, among devices: [UInt32: NetworkDevice]) -> Bool {
        switch self {
        case .none: false
        case .bridge(let name):
            device.name == name || device.interface.masterIndex.flatMap { devices[$0] }?.name == name
        case .prefix(let prefix): device.name.hasPrefix(prefix)
        }
    }
}

extension NetworkDevice {
    /// A port's addresses are on its bridge.
    fileprivate func bridged(_ devices: [UInt32: NetworkDevice]) -> NetworkDevice {
        interface.masterIndex.flatMap { devices[$0] } ?? self
    }

    /// The first address of the family that others can answer.
    fileprivate func address(of family: AddressFamily) -> IPAddress? {
        addresses.first { entry in
            entry.address.family == family && !entry.address.isLinkLocal && !entry.address.isLoopback
                && !entry.isTentative
        }?.address
    }
}
