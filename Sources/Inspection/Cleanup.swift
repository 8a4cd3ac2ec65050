// `martlet cleanup`: the datapath of a pin folder, the state file of its agent and its reservation of ports, gone; and what
// was removed, in words.

package import Datapath
import Handover
import Netlink

package struct Cleanup: Codable, Hashable, Sendable {
    /// In the order of removal.
    package var removed: [String]
    package var failures: [String]
    /// Names of others in the pin folder, which was left for their sake.
    package var foreign: [String]

    package var isEmpty: Bool { removed.isEmpty && failures.isEmpty && foreign.isEmpty }

    /// - Throws: `agentIsRunning` unless `force`; what the kernel refused before anything was removed.
    package static func perform(
        _ folder: PinFolder, force: Bool, stateFolder: String = AgentStatus.conventionalFolder
    ) throws(DatapathError) -> Cleanup {
        let report = try Datapath.cleanUp(folder, force: force)
        var cleanup = Cleanup(removed: report.removed, failures: report.failures, foreign: report.foreign)
        do {
            if let path = try AgentStatus.remove(for: folder, in: stateFolder) {
                cleanup.removed.append("state file \(path)")
            }
        } catch {
            cleanup.failures.append(error.description)
        }
        do {
            let record = AgentStatus.portRecord(for: folder, in: stateFolder)
            if let ports = try PortReservation(record: record).release() {
                cleanup.removed.append("ports \(ports) from \(PortReservation.name)")
            }
        } catch {
            cleanup.failures.append("ports from \(PortReservation.name): \(error)")
        }
        do {
            if try Handover.removeTable() { cleanup.removed.append("nftables table inet \(Handover.table)") }
        } catch HandoverError.netfilter(let error) where error.isPermission {
            // Nobody who may not look has made it.
        } catch {
            cleanup.failures.append("nftables table inet \(Handover.table): \(error)")
        }
        return cleanup
    }

    /// One line for each thing removed, or one that says that there was nothing.
    package func text(for folder: PinFolder) -> String {
        guard !isEmpty else { return "nothing to remove: no datapath is pinned in \(folder.path)\n" }
        return removed.map { "removed \($0)\n" }.joined()
    }
}
