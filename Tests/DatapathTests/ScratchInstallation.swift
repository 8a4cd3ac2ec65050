// A datapath on a cgroup without processes, in a pin folder of its own; gone at the end.

import BPF
import Datapath
import Glibc
import Testing

final class ScratchInstallation {
    let folder: PinFolder
    let cgroup: String

    init() throws {
        let name = "martlet-store-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let root = try #require(try CGroup2.mountPoint())
        folder = PinFolder(path: "\(BPFFileSystem.conventionalPath)/\(name)")
        cgroup = "\(root)/\(name)"
        try #require(unsafe mkdir(cgroup, 0o755) == 0)
    }

    deinit {
        try? BPFFileSystem.removeTree(folder.path)
        _ = unsafe rmdir(cgroup)
    }

    func install(
        _ sizes: MapSizes = MapSizes(frontends: 8192, backends: 8192, slotWords: 65536, services: 8192),
        packets: PacketSettings = PacketSettings(devices: .none), skipCgroups: [String] = []
    ) throws -> Datapath {
        try Datapath(
            installing: DatapathSettings(
                pinFolder: folder, cgroup: cgroup, sizes: sizes, hostNamespaceCookie: 1, skipCgroups: skipCgroups,
                packets: packets))
    }
}
