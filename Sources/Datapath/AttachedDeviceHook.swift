// Which packet hooks are attached, read from the pins from outside: needs no agent, and shows what an agent that was
// killed has left.

package import BPF

package struct AttachedDeviceHook: Hashable, Sendable {
    package var hook: PacketHook
    /// The device's index in the network namespace of the agent that attached it.
    package var device: UInt32
    package var way: AttachmentReport.Way
    package var programID: UInt32

    package init(hook: PacketHook, device: UInt32, way: AttachmentReport.Way, programID: UInt32) {
        self.hook = hook
        self.device = device
        self.way = way
        self.programID = programID
    }
}

extension PinFolder {
    /// What is attached, by device and in the order of attaching. Pins whose device is gone are left out. To be called in
    /// the agent's network namespace, where filters and the mode of XDP can be asked for.
    package func attachedDeviceHooks() throws(BPFError) -> [AttachedDeviceHook] {
        var hooks: [AttachedDeviceHook] = []
        for place in try pinnedDeviceHooks() {
            guard let link = try PinnedLink.open(pin(of: place)) else { continue }
            let info = try link.info()
            let way: AttachmentReport.Way
            switch info.target {
            case .tcx(place.device, _): way = .tcx
            case .xdp(place.device):
                way = try XDPState.query(interface: place.device).generic == nil ? .native : .generic
            default: continue
            }
            hooks.append(
                AttachedDeviceHook(hook: place.hook, device: place.device, way: way, programID: info.programID))
        }
        for filter in try deviceFilters() {
            guard let id = try filter.programID() else { continue }
            let place = filter.place
            hooks.append(AttachedDeviceHook(hook: place.hook, device: place.device, way: .clsact, programID: id))
        }
        let order = { (hook: PacketHook) in PacketHook.allCases.firstIndex(of: hook) ?? 0 }
        return hooks.sorted { ($0.device, order($0.hook)) < ($1.device, order($1.hook)) }
    }
}
