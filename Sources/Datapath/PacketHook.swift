// The hooks that Martlet attaches to network devices, in the order in which they are attached: what undoes comes before
// what does, so that no packet is translated whose replies could not be translated back.

import BPF

package enum PacketHook: String, CaseIterable, Codable, Sendable {
    case tcEgress = "tc_egress"
    case tcIngress = "tc_ingress"
    case xdp

    /// Which way the packets go, for the hooks that TCX or clsact provides.
    var direction: ClassifierFilter.Direction? {
        switch self {
        case .tcEgress: .egress
        case .tcIngress: .ingress
        case .xdp: nil
        }
    }
}

/// A hook of one device: what is pinned, attached and removed as one.
struct DeviceHook: Hashable {
    let hook: PacketHook
    /// The device's index.
    let device: UInt32

    init(_ hook: PacketHook, device: UInt32) {
        self.hook = hook
        self.device = device
    }

    /// The name of its pin: `tc_ingress_7`.
    var name: String { "\(hook.rawValue)_\(device)" }

    /// Reads a pin's name; nil for any other name, such as those of socket hooks and of pins that are being replaced.
    init?(name: String) {
        guard let hook = PacketHook.allCases.first(where: { name.hasPrefix("\($0.rawValue)_") }),
            let device = UInt32(name.dropFirst(hook.rawValue.count + 1)), device > 0
        else { return nil }
        self.init(hook, device: device)
        guard self.name == name else { return nil }
    }
}
