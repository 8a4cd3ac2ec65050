// What the maps and the attached programs say about a packet of one source, whatever it is sent to: who the source is to
// this node, and where such a packet comes in. What follows from them is in PacketExplainer.

import BPF
import CDatapathABI
package import Datapath
import DatapathImage
package import NetworkTypes

package struct PacketFacts: Sendable {
    /// A device with programs that meet packets as they come in.
    package struct Entrance: Sendable {
        package var index: UInt32
        /// Nil when it is not a device of this network namespace.
        package var name: String?
        package var hasXDP: Bool
        /// Whether what comes in here is pod-local whatever its source is (MASQ-9).
        package var isPodLocal: Bool
        /// Leads out of the node.
        package var isExternal: Bool

        package init(
            index: UInt32, name: String? = nil, hasXDP: Bool = true, isPodLocal: Bool = false, isExternal: Bool = true
        ) {
            self.index = index
            self.name = name
            self.hasXDP = hasXDP
            self.isPodLocal = isPodLocal
            self.isExternal = isExternal
        }
    }

    /// Who the source is (bpf/lib/serve.bpf.h, enum client_class).
    package enum Client: Sendable {
        /// An address of this node (TP-10).
        case host
        /// Pod-local (MASQ-9).
        case pod
        case outside
    }

    /// The source of the packet; nil where nobody said which, and it does not matter.
    package var source: IPAddress?
    package var client: Client
    /// Nil: no attached program would meet the packet.
    package var entrance: Entrance?
    package var nodeAddresses: Set<IPAddress>

    package init(
        source: IPAddress?, client: Client, entrance: Entrance?, nodeAddresses: Set<IPAddress> = []
    ) {
        self.source = source
        self.client = client
        self.entrance = entrance
        self.nodeAddresses = nodeAddresses
    }
}

extension PacketFacts {
    /// Reads the facts about a source. Cost: a walk over the node's addresses and devices.
    ///
    /// - Parameters:
    ///   - isPod: the source is a pod of this node, so that its packets come in by a device that leads to pods.
    ///   - device: the name of the device that the packet comes in by; nil: the first that is likely.
    /// - Throws: `NoSuchDevice` when no program meets packets at that device.
    package static func read(
        source: IPAddress?, isPod: Bool, podsAreLocal: Bool, device: String?, in maps: borrowing DatapathMaps
    ) throws -> PacketFacts {
        let addresses = Set(try maps.nodeAddresses.entries().map { $0.0.ipAddress })
        let isPodSource =
            try source.map { try maps.node.lookup(0)?.holdsPod($0) ?? false } ?? (isPod && podsAreLocal)
        let entrances = try entrances(in: maps)
        let isInside = isPod || isPodSource
        let entrance: Entrance?
        if let device {
            guard let named = entrances.first(where: { $0.name == device }) else { throw NoSuchDevice(name: device) }
            entrance = named
        } else {
            entrance = entrances.first { $0.isExternal != isInside } ?? (isPod ? nil : entrances.first)
        }
        let client: Client =
            source.map(addresses.contains) ?? false
            ? .host : isPodSource || entrance?.isPodLocal ?? false ? .pod : .outside
        return PacketFacts(source: source, client: client, entrance: entrance, nodeAddresses: addresses)
    }

    /// By index, those that lead out of the node first.
    private static func entrances(in maps: borrowing DatapathMaps) throws -> [Entrance] {
        let hooks = try maps.pinFolder.attachedDeviceHooks()
        let names = InterfaceNames.current()
        var entrances: [Entrance] = []
        for hook in hooks where hook.hook == .tcIngress {
            let flags = try maps.devices.lookup(hook.device)?.flags ?? 0
            entrances.append(
                Entrance(
                    index: hook.device, name: names[hook.device],
                    hasXDP: hooks.contains { $0.device == hook.device && $0.hook == .xdp },
                    isPodLocal: flags & DP_DEVICE_POD_LOCAL.rawValue != 0,
                    isExternal: flags & DP_DEVICE_EXTERNAL.rawValue != 0))
        }
        return entrances
    }
}

/// A device was named that no program meets packets at.
package struct NoSuchDevice: Error, CustomStringConvertible {
    package var name: String
    package var description: String {
        "no packet hook is attached to a device \(name); 'martlet status' lists those that have one"
    }
}

extension dp_node {
    /// As is_pod_source of bpf/lib/serve.bpf.h.
    fileprivate func holdsPod(_ address: IPAddress) -> Bool {
        let (network, mask) =
            switch address.family {
            case .ipv4: (pod_network_ipv4.ipAddress, pod_mask_ipv4.ipAddress)
            case .ipv6: (pod_network_ipv6.ipAddress, pod_mask_ipv6.ipAddress)
            }
        return address.high & mask.high == network.high && address.low & mask.low == network.low
    }
}
