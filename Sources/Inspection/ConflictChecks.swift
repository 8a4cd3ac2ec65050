// Who else does here what Martlet does: programs at the same hooks, and known proxies among the processes. Says what
// was looked at.

import BPF
import Datapath
import Handover
import Netlink
import SystemCalls

struct ConflictChecks {
    let folder: PinFolder
    let cgroup: String?

    private static let proxies = ["kube-proxy", "cilium-agent", "calico-node", "kube-router"]

    func findings() -> [Finding] {
        [programs(), processes(), rules(), virtualServers()]
    }

    private func programs() -> Finding {
        let subject = "programs at our hooks"
        do {
            guard let path = try cgroup ?? CGroup2.mountPoint() else {
                return Finding(.conflicts, subject, .ok, "there is no cgroup2 to look at")
            }
            let own = Set(((try? InstallationFacts.read(folder))?.hooks ?? []).map(\.programID))
            let attached = try Self.attached(path)
            let closed = attached.filter { !$0.programs.admitsOthers }.map(\.hook.rawValue)
            let others = attached.flatMap { entry in
                entry.programs.programIDs.filter { !own.contains($0) }.map {
                    "\(entry.hook.rawValue): \(Self.name(of: $0))"
                }
            }
            guard closed.isEmpty else {
                return Finding(
                    .conflicts, subject, .missing, essential: true,
                    "at \(path), \(others.joined(separator: ", ")); "
                        + "no other program is admitted at \(closed.joined(separator: ", "))",
                    loss: "the hooks cannot be attached there")
            }
            guard !others.isEmpty else {
                return Finding(
                    .conflicts, subject, .ok,
                    "none but Martlet's own at \(path) itself; cgroups below were not looked at")
            }
            return Finding(
                .conflicts, subject, .degraded, "at \(path): \(others.joined(separator: ", "))",
                loss: "whichever runs first decides where a socket goes")
        } catch {
            return Finding(.conflicts, subject, .degraded, "\(error)", loss: "conflicts at the hooks are not known")
        }
    }

    private static func attached(_ path: String) throws(BPFError) -> [(hook: SocketHook, programs: AttachedPrograms)] {
        let cgroup = try CGroup.open(path)
        var all: [(hook: SocketHook, programs: AttachedPrograms)] = []
        for hook in SocketHook.allCases { all.append((hook, try .query(hook.attachType, cgroup: cgroup))) }
        return all
    }

    private static func name(of id: UInt32) -> String {
        let name = (try? BPFProgram.open(id: id).info().name) ?? ""
        return name.isEmpty ? "program \(id)" : "\(name) (program \(id))"
    }

    private func processes() -> Finding {
        let numbers = ((try? BPFFileSystem.entries(at: "/proc")) ?? []).filter { $0.allSatisfy(\.isNumber) }
        let found = numbers.compactMap { number -> String? in
            guard let text = try? WholeFile.text(of: "/proc/\(number)/comm") else { return nil }
            let name = String(text.prefix { !$0.isNewline })
            return Self.proxies.contains(name) ? "\(name) (pid \(number))" : nil
        }
        guard !found.isEmpty else {
            return Finding(
                .conflicts, "other proxies", .ok,
                "none of \(Self.proxies.joined(separator: ", ")) among the \(numbers.count) processes "
                    + "that are visible here")
        }
        return Finding(
            .conflicts, "other proxies", .degraded, found.joined(separator: ", "),
            loss: "both serve the same addresses; stop the other one once Martlet is in charge")
    }

    /// Those of iptables-legacy cannot be told from others here.
    private func rules() -> Finding {
        let subject = "kube-proxy's rules"
        do {
            let found = try KubeProxyRules.find()
            let isHolding = try Handover.hasTable()
            guard !found.isEmpty else {
                return Finding(
                    .conflicts, subject, .ok,
                    isHolding
                        ? "none; nftables table inet \(Handover.table) keeps the kernel translating connections of before"
                        : "none in nftables, nor in iptables' tables as nftables has them")
            }
            let places =
                found.tables.map { "table \($0)" } + Set(found.chains.map(\.table)).map { "table \($0)" }.sorted()
            return Finding(
                .conflicts, subject, .degraded, "kube-proxy's rules are in \(places.joined(separator: ", "))",
                loss: "what no hook sees is translated by them; `martlet takeover` removes them")
        } catch {
            return Finding(.conflicts, subject, .degraded, "\(error)", loss: "rules of kube-proxy's are not known")
        }
    }

    /// /proc/net/ip_vs has three lines of heading.
    private func virtualServers() -> Finding {
        let text = (try? WholeFile.text(of: "/proc/net/ip_vs")) ?? nil
        let lines = text?.split(separator: "\n").dropFirst(3).filter { !$0.contains("->") } ?? []
        guard !lines.isEmpty else {
            return Finding(.conflicts, "IPVS", .ok, "no virtual servers in this network namespace")
        }
        return Finding(
            .conflicts, "IPVS", .degraded, "\(lines.count) virtual servers in this network namespace",
            loss: "packets that no socket hook translated still follow them")
    }
}
