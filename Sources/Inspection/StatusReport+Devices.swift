// The packet hooks in `martlet status`: what the kernel says is attached, beside what the agent wanted and why it did not
// come to it.

package import Datapath
import Netlink

extension StatusReport {
    /// A device of the node, with the packet hooks that are attached or wanted there.
    package struct Device: Codable, Sendable, Hashable {
        package struct Hook: Codable, Sendable, Hashable {
            /// `tc_egress`, `tc_ingress` or `xdp`.
            package var name: String
            package var attached: Bool
            /// `tcx` or `clsact`; `native` or `generic` for XDP; null when it is not attached.
            @Nullable package var way: String?
            @Nullable package var programID: UInt32?
            /// Why it is not attached; null when it is.
            @Nullable package var reason: String?
        }

        package var index: UInt32
        /// Null when neither the agent nor this network namespace knows it.
        @Nullable package var name: String?
        /// Whether it leads out of the node; null when no agent has said so.
        @Nullable package var external: Bool?
        /// In the order of attaching.
        package var hooks: [Hook]
        /// Why nothing is wanted there, as the end of a sentence that begins with the name.
        @Nullable package var reason: String?
    }

    /// What is attached now, and what the last report of an agent says about the same devices and others. By index.
    package static func devices(
        attached: [AttachedDeviceHook], report: AttachmentReport?, names: [UInt32: String] = [:]
    ) -> [Device] {
        let reported = Dictionary((report?.devices ?? []).map { ($0.index, $0) }) { first, _ in first }
        let found = Dictionary(grouping: attached, by: \.device)
        return Set(reported.keys).union(found.keys).sorted().map { index in
            let device = reported[index]
            return Device(
                index: index, name: device?.name ?? names[index], external: device?.isExternal,
                hooks: hooks(found[index] ?? [], device?.hooks ?? []), reason: device?.reason)
        }
    }

    private static func hooks(
        _ attached: [AttachedDeviceHook], _ wanted: [AttachmentReport.Hook]
    ) -> [Device.Hook] {
        PacketHook.allCases.compactMap { hook in
            if let found = attached.first(where: { $0.hook == hook }) {
                return Device.Hook(
                    name: hook.rawValue, attached: true, way: found.way.rawValue, programID: found.programID,
                    reason: nil)
            }
            guard let wish = wanted.first(where: { $0.hook == hook }) else { return nil }
            return Device.Hook(
                name: hook.rawValue, attached: false, way: nil, programID: nil,
                reason: wish.reason ?? "it was attached, and is not any more")
        }
    }

    /// Reads both; what cannot be read is left out. Names that no agent has told are those of this network namespace.
    static func readDevices(_ folder: PinFolder, _ agent: Agent) -> [Device] {
        let attached = (try? folder.attachedDeviceHooks()) ?? []
        let report = agent.status?.attachments
        let known = Set((report?.devices ?? []).map(\.index))
        let names = attached.allSatisfy { known.contains($0.device) } ? [:] : InterfaceNames.current()
        return devices(attached: attached, report: report, names: names)
    }
}

/// The names of interfaces in this process's network namespace.
enum InterfaceNames {
    /// Empty when the kernel does not tell.
    static func current() -> [UInt32: String] {
        guard var socket = try? RouteSocket(), let interfaces = try? socket.interfaces() else { return [:] }
        return Dictionary(interfaces.map { ($0.index, $0.name) }) { first, _ in first }
    }
}
