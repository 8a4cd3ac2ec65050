// The answer of `martlet explain` without manifests: from the pinned maps, and, where that can be tried without sending
// anything, confirmed by the real programs with a real socket of this process.

import BPF
package import Datapath
import Glibc
package import LoadBalancing
import Netlink
import NetworkTypes
import SystemCalls

package enum LiveExplanation {
    /// Explains one connection from what is programmed now.
    ///
    /// Cgroup programs cannot be test-run. A UDP `connect()` runs them and sends no packet, so it is made where this
    /// process is the kind of client that is asked about; the peer that the kernel stored says what became of it. It
    /// counts as a connection of the service. Everything else is decided by the records, and the reason says so.
    package static func explain(
        from source: TrafficSource, to destination: FrontendAddress, in folder: PinFolder
    ) throws -> Explanation {
        let maps = try DatapathMaps.open(folder)
        let constants = try ProgramConstants.read(folder)
        let records = try LiveRecords(destination, in: maps)
        let explainer = LiveExplainer(
            source: source, destination: destination, records: records, constants: constants)
        var explanation = explainer.explanation()
        let proof = Proof(
            source: source, destination: destination, folder: folder, constants: constants,
            hasAffinity: records.exact?.affinitySeconds != nil)
        while explanation.reason.last == "." { explanation.reason.removeLast() }
        explanation.reason += "; \(proof.clause(for: explanation))."
        return explanation
    }
}

/// One question to the real programs.
private struct Proof {
    let source: TrafficSource
    let destination: FrontendAddress
    let folder: PinFolder
    let constants: ProgramConstants
    let hasAffinity: Bool

    /// What the kernel did, or why it was not asked; the second half of a sentence.
    func clause(for explanation: Explanation) -> String {
        if let obstacle = obstacle() { return "decided by the records alone, since \(obstacle)" }
        do {
            return confirm(try dial(), explanation)
        } catch {
            return "decided by the records alone, since the real programs could not be asked (\(error))"
        }
    }

    private func obstacle() -> String? {
        switch source {
        case .node, .localhost: break
        case .pod, .external: return "only processes of the node can be played from here"
        }
        guard destination.protocolKind == .udp else {
            return "a \(destination.protocolKind) connect would send packets"
        }
        if hasAffinity { return "a connect would bind this namespace to a backend (AFF-1)" }
        guard (try? InternetSocket(.udp, .ipv4).namespaceCookie()) == constants.hostNamespaceCookie else {
            return "this process is not in the node's network namespace"
        }
        guard isServed() else { return "this process is not in the cgroup that is served" }
        return constants.skipCGroupCount == 0 ? nil : "some cgroups opt out, and this process may be in one of them"
    }

    /// Whether this process's cgroup is the one that the hooks are attached to, or below it.
    private func isServed() -> Bool {
        guard let facts = try? InstallationFacts.read(folder),
            let hook = facts.hooks.first(where: { $0.hook == .connect4 }), hook.cgroupID != 0,
            var path = try? ScratchCGroup.own()
        else { return false }
        while !path.isEmpty {
            if (try? CGroup2.id(of: path)) == hook.cgroupID { return true }
            path = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        }
        return false
    }

    private enum Result {
        case connected(to: AddressAndPort)
        case failed(SystemError)
    }

    /// Connects a UDP socket; the peer that the kernel holds is read from its diagnostics, since getpeername is
    /// translated back.
    private func dial() throws -> Result {
        let socket = try InternetSocket(.udp, destination.address.address.family)
        do {
            try socket.connect(to: destination.address)
        } catch {
            return .failed(error)
        }
        let cookie = try socket.cookie()
        var diagnostics = try SocketDiagnostics()
        guard let own = try diagnostics.sockets(.udp).first(where: { $0.cookie == cookie }) else {
            throw WrongResult("the kernel does not list the socket")
        }
        return .connected(to: own.remote)
    }

    private func confirm(_ result: Result, _ explanation: Explanation) -> String {
        let wanted =
            switch explanation.outcome {
            case .dnat: "one of its backends"
            case .reject: "ECONNREFUSED"
            case .drop: "EPERM"
            case .notHandled: "the address as it is"
            }
        switch (result, explanation.outcome) {
        case (.connected(let peer), .dnat) where explanation.backends.contains(peer.description):
            return "a real UDP connect of this process went to \(peer)"
        case (.connected(let peer), .notHandled) where peer == destination.address:
            return "a real UDP connect of this process was left as it is"
        case (.failed(let error), .reject) where error.errno == ECONNREFUSED:
            return "a real UDP connect of this process was refused"
        case (.failed(let error), .drop) where error.errno == EPERM:
            return "a real UDP connect of this process was dropped (EPERM)"
        case (.connected(let peer), _):
            return "but a real UDP connect of this process went to \(peer), where \(wanted) was expected"
        case (.failed(let error), _):
            return "but a real UDP connect of this process failed (\(error)), where \(wanted) was expected"
        }
    }
}
