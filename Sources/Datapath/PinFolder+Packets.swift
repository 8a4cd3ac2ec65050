// Where the packet hooks of one datapath are pinned: links beside those of the socket hooks, and, on kernels without
// TCX, what stands for filters, which cannot be pinned.

import BPF

extension PinFolder {
    var links: String { "\(path)/links" }
    /// Made when the first filter is.
    var filters: String { "\(path)/filters" }

    func pin(of place: DeviceHook) -> String { "\(links)/\(place.name)" }
    /// The same for one hook of a device, by its index.
    package func pin(of hook: PacketHook, device: UInt32) -> String { pin(of: DeviceHook(hook, device: device)) }

    /// The packet hooks that have a pin of their own, whatever it holds.
    func pinnedDeviceHooks() throws(BPFError) -> [DeviceHook] {
        try BPFFileSystem.entries(at: links).compactMap { DeviceHook(name: $0) }
    }

    /// The packet hooks that are filters.
    func deviceFilters() throws(BPFError) -> [DeviceFilter] {
        try BPFFileSystem.entries(at: filters).compactMap { name in
            DeviceHook(name: name).flatMap { DeviceFilter($0, in: self) }
        }
    }
}
