// What the node itself must have: rights, file systems, room for maps. Tried where trying is possible; rights are read
// from what the kernel says of this process.

import BPF
import Datapath
import SystemCalls

struct NodeChecks {
    let cgroup: String?

    func findings() -> [Finding] {
        [
            capability(39, "CAP_BPF", essential: true, loss: "maps cannot be made and programs cannot be loaded"),
            capability(
                12, "CAP_NET_ADMIN", essential: true,
                loss: "programs cannot be attached, and sockets cannot be destroyed"),
            capability(38, "CAP_PERFMON", essential: true, loss: "the verifier refuses programs that it would admit"),
            capability(
                21, "CAP_SYS_ADMIN", essential: false,
                loss: "other network namespaces cannot be entered: pods keep sockets to backends that are gone"),
            controlGroups(), pinning(), memory(), typeInformation(),
        ]
    }

    /// CAP_SYS_ADMIN stands in for the two that were split from it (capabilities(7)).
    private func capability(_ number: Int, _ name: String, essential: Bool, loss: String) -> Finding {
        let held = Self.effectiveCapabilities()
        let includes = { (bit: Int) in held & 1 << UInt64(bit) != 0 }
        if includes(number) { return Finding(.node, name, .ok, essential: essential, "held") }
        if includes(21), number == 39 || number == 38 {
            return Finding(.node, name, .ok, essential: essential, "not held, but CAP_SYS_ADMIN stands in for it")
        }
        return Finding(
            .node, name, essential ? .missing : .degraded, essential: essential, "not held: permission is lacking",
            loss: loss)
    }

    private static func effectiveCapabilities() -> UInt64 {
        let text = (try? WholeFile.text(of: "/proc/self/status")) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        return line.flatMap { UInt64($0.dropFirst("CapEff:".count).filter(\.isHexDigit), radix: 16) } ?? 0
    }

    private func controlGroups() -> Finding {
        .trying(.node, "cgroup2", essential: true, loss: "there is nothing to attach the socket hooks to") {
            guard let mount = try CGroup2.mountPoint() else { throw WrongResult("not mounted") }
            let path = cgroup ?? mount
            let number = try CGroup.open(path).id
            return path == mount ? "mounted at \(mount)" : "\(path) is number \(number) of the tree at \(mount)"
        }
    }

    private func pinning() -> Finding {
        let path = BPFFileSystem.conventionalPath
        if BPFFileSystem.isMounted() { return Finding(.node, "bpffs", .ok, "mounted at \(path)") }
        return Finding(
            .node, "bpffs", .degraded, "not mounted at \(path)",
            loss: "the agent mounts it by itself, which needs CAP_SYS_ADMIN and must be seen by later runs")
    }

    /// The largest map of a default installation.
    private func memory() -> Finding {
        let words = MapSizes().slotWords
        return .trying(
            .node, "map memory", essential: true,
            loss: "maps of the default sizes do not fit: RLIMIT_MEMLOCK or a memory limit"
        ) {
            let map = try MapDescriptor.create(
                .array, name: "doctor_memory", keySize: 4, valueSize: 8, maxEntries: words, flags: 1 << 10)
            return "a map of \((try map.info().memoryBytes ?? UInt64(words) * 8) >> 20) MiB was made"
        }
    }

    private func typeInformation() -> Finding {
        KernelFeatures.hasTypeInformation()
            ? Finding(.node, "BTF", .ok, "the kernel publishes its types")
            : Finding(
                .node, "BTF", .degraded, "/sys/kernel/btf/vmlinux is not there",
                loss: "nothing of Martlet's; tracing tools show less")
    }
}
