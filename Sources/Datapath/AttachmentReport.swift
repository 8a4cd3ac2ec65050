// What came of attaching to the node's devices, for logs, `martlet status` and `martlet doctor`.

package struct AttachmentReport: Hashable, Codable, Sendable {
    /// Every device of the node, attached or not; by index.
    package var devices: [Device] = []
    /// What could not be removed, in sentences. It is tried again the next time.
    package var leftovers: [String] = []

    package init() {}

    package struct Device: Hashable, Codable, Sendable {
        package var index: UInt32
        package var name: String
        package var isExternal: Bool
        /// The hooks that were wanted, in the order of attaching.
        package var hooks: [Hook]
        /// Why nothing is attached, as the end of a sentence that begins with the name: `is loopback`.
        package var reason: String?
    }

    package struct Hook: Hashable, Codable, Sendable {
        package var hook: PacketHook
        /// Nil when it is not attached.
        package var way: Way?
        /// Why it is not attached: a sentence.
        package var reason: String?
    }

    /// How a program is attached.
    package enum Way: String, Codable, Sendable {
        case tcx
        case clsact
        /// XDP in the driver.
        case native
        /// XDP behind the driver.
        case generic
    }

    package func device(named name: String) -> Device? { devices.first { $0.name == name } }

    /// What an operator should know: every hook that was wanted and is not there, every device that leads out of the node
    /// without the XDP that was asked for, and what could not be removed. Empty when all is as the settings say.
    package var notices: [String] {
        let missing = devices.flatMap { device in
            device.hooks.compactMap { hook in
                hook.reason.map { "device \(device.name) has no \(hook.hook.rawValue): \($0)" }
            }
        }
        return missing + leftovers
    }
}

extension AttachmentReport.Device {
    package func way(_ hook: PacketHook) -> AttachmentReport.Way? { hooks.first { $0.hook == hook }?.way }
    package func reason(_ hook: PacketHook) -> String? { hooks.first { $0.hook == hook }?.reason }

    init(_ skipped: SkippedDevice) {
        self.init(index: skipped.index, name: skipped.name, isExternal: false, hooks: [], reason: skipped.reason)
    }

    init(_ attachment: DeviceAttachment, hooks: [AttachmentReport.Hook]) {
        self.init(
            index: attachment.index, name: attachment.name, isExternal: attachment.isExternal, hooks: hooks, reason: nil
        )
    }
}
