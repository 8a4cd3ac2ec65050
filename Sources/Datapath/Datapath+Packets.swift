// The packet hooks of this node: what they know of its devices and addresses, and where they are attached.

import BPF
import CDatapathABI
import DatapathImage
package import Netlink
package import NetworkTypes
import Synchronization

/// What the packet hooks know of the node besides its devices.
package struct NodeTraffic: Hashable, Sendable {
    /// Sources that are pod-local by address; nil in a family: none are (MASQ-9).
    package var podRanges: PerFamily<CIDR?>
    /// Every address of this node (TP-10).
    package var addresses: [IPAddress]
    /// The devices whose traffic is pod-local by the way that it comes in (MASQ-9).
    package var podDevices: DeviceDetector

    package enum DeviceDetector: Hashable, Sendable {
        case none
        /// The bridge, or its ports, where packets are seen.
        case bridge(String)
        case prefix(String)
    }

    package init(
        podRanges: PerFamily<CIDR?> = PerFamily { _ in nil }, addresses: [IPAddress] = [],
        podDevices: DeviceDetector = .none
    ) {
        self.podRanges = podRanges
        self.addresses = addresses
        self.podDevices = podDevices
    }
}

extension Datapath {
    /// Whether there are packet hooks at all.
    package var hasPacketHooks: Bool { packetPrograms.withLock { $0 != nil } }

    /// Attaches to the devices as the settings choose among them, and describes them to the programs. To be called from
    /// a thread in the node's network namespace, whenever the devices are different.
    ///
    /// - Throws: when the pin folder or a map cannot be used. What could not be attached is in the report.
    package func follow(_ devices: [NetworkDevice], _ traffic: NodeTraffic) throws(DatapathError) -> AttachmentReport {
        let selection = DeviceSelection(of: devices, settings.packets)
        let attachments = PacketAttachments(folder: settings.pinFolder, xdp: settings.packets.xdp)
        let described = DeviceDescription.all(devices, selection, traffic)
        return try packetPrograms.withLock { (programs) throws(DatapathError) in
            switch programs {
            case .none: return AttachmentReport()
            case .some(let programs):
                return try kernel { () throws(BPFError) in
                    // Devices are known before packets come from them, and sent out of once they can be.
                    for device in described where try maps.devices.lookup(device.index) == nil {
                        try maps.devices.update(device.index, device.record)
                    }
                    let report = try attachments.follow(selection, with: programs)
                    try describe(described.map { $0.sendingXDP(report.sendsXDP($0.index)) })
                    return report
                }
            }
        }
    }

    private func describe(_ devices: [DeviceDescription]) throws(BPFError) {
        for device in devices { try maps.devices.update(device.index, device.record) }
        let known = Set(devices.map(\.index))
        for (index, _) in try maps.devices.entries() where !known.contains(index) { _ = try maps.devices.delete(index) }
    }

    /// Tells the programs who is pod-local, and which addresses are the node's.
    package func setTraffic(_ traffic: NodeTraffic) throws(DatapathError) {
        try kernel { () throws(BPFError) in
            let (ipv4, ipv6) = (traffic.podRanges[.ipv4], traffic.podRanges[.ipv6])
            try maps.node.update(
                0,
                dp_node(
                    pod_network_ipv4: dp_address(ipv4?.address ?? .nowhere), pod_mask_ipv4: .mask(ipv4),
                    pod_network_ipv6: dp_address(ipv6?.address ?? .nowhere), pod_mask_ipv6: .mask(ipv6)))
            let wanted = Set(traffic.addresses)
            let found = Set(try maps.nodeAddresses.entries().map { $0.0.ipAddress })
            for address in wanted.subtracting(found) { try maps.nodeAddresses.update(dp_address(address), 1) }
            for address in found.subtracting(wanted) { _ = try maps.nodeAddresses.delete(dp_address(address)) }
        }
    }
}

extension AttachmentReport {
    /// Whether XDP programs may send frames out of the device: where its driver runs one itself.
    fileprivate func sendsXDP(_ index: UInt32) -> Bool {
        devices.first { $0.index == index }?.way(.xdp) == .native
    }
}

extension IPAddress {
    /// No masked address is this one: see dp_node.
    fileprivate static let nowhere = IPAddress(high: .max, low: .max)
}

extension dp_address {
    /// The bits of a range's prefix in the 16-byte form; none for no range.
    fileprivate static func mask(_ range: CIDR?) -> dp_address {
        let bits = range.map { Int($0.mappedPrefixLength) } ?? 0
        func word(_ bits: Int) -> UInt64 { bits <= 0 ? 0 : bits >= 64 ? .max : ~(UInt64.max >> UInt64(bits)) }
        return dp_address(IPAddress(high: word(bits), low: word(bits - 64)))
    }
}
