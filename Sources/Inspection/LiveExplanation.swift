// The answer of `martlet explain` without manifests: from the pinned maps, and, where that can be tried without sending
// anything, confirmed by the real programs with a real socket of this process.

import BPF
import CDatapathABI
package import Datapath
import DatapathImage
import Glibc
package import LoadBalancing
import Netlink
package import NetworkTypes
import SystemCalls

/// One connection, explained from what is programmed now.
package struct LiveExplanation: Sendable {
    package var explanation: Explanation
    /// What the packet programs did with a packet of the kind; nil where they were not asked, and for sockets.
    package var program: ProgramReport?
    /// Whether the real programs do what the records say, as far as they were asked.
    package var agrees: Bool

    private init(_ explanation: Explanation, _ clause: String, program: ProgramReport? = nil, agrees: Bool = true) {
        var explanation = explanation
        while explanation.reason.last == "." { explanation.reason.removeLast() }
        explanation.reason += "; \(clause)."
        self.explanation = explanation
        self.program = program
        self.agrees = agrees
    }

    /// Explains a connection through the hooks that meet it: those of packets for clients outside of the node, and for
    /// SCTP of pods; those of sockets for everybody else.
    ///
    /// - Parameter device: the name of the device that packets come in by; nil: one that is likely.
    package static func explain(
        from source: TrafficSource, to destination: FrontendAddress, at device: String? = nil, in folder: PinFolder
    ) throws -> LiveExplanation {
        switch source {
        case .external(let address):
            return try explainPacket(source, address, isPod: false, destination, device, folder)
        case .pod(let address) where destination.protocolKind == .sctp:
            return try explainPacket(source, address, isPod: true, destination, device, folder)
        case .pod, .node, .localhost: return try explainSocket(source, destination, folder)
        }
    }

    /// Cgroup programs cannot be test-run. A UDP `connect()` runs them and sends no packet, so it is made where this
    /// process is the kind of client that is asked about; the peer that the kernel stored says what became of it. It
    /// counts as a connection of the service. Everything else is decided by the records, and the reason says so.
    private static func explainSocket(
        _ source: TrafficSource, _ destination: FrontendAddress, _ folder: PinFolder
    ) throws -> LiveExplanation {
        let maps = try DatapathMaps.open(folder)
        let constants = try ProgramConstants.read(folder)
        let records = try LiveRecords(destination, in: maps)
        let explainer = LiveExplainer(
            source: source, destination: destination, records: records, constants: constants)
        let explanation = explainer.explanation()
        let proof = Proof(
            source: source, destination: destination, folder: folder, constants: constants,
            hasAffinity: records.exact?.affinitySeconds != nil)
        let (clause, agrees) = proof.clause(for: explanation)
        return LiveExplanation(explanation, clause, agrees: agrees)
    }

    /// An answer that the programs contradict is made once more: the records may have changed in between.
    private static func explainPacket(
        _ source: TrafficSource, _ address: IPAddress?, isPod: Bool, _ destination: FrontendAddress,
        _ device: String?, _ folder: PinFolder
    ) throws -> LiveExplanation {
        let first = try explainPacketOnce(source, address, isPod: isPod, destination, device, folder)
        guard !first.agrees else { return first }
        return try explainPacketOnce(source, address, isPod: isPod, destination, device, folder)
    }

    private static func explainPacketOnce(
        _ source: TrafficSource, _ address: IPAddress?, isPod: Bool, _ destination: FrontendAddress,
        _ device: String?, _ folder: PinFolder
    ) throws -> LiveExplanation {
        let maps = try DatapathMaps.open(folder)
        let constants = try ProgramConstants.read(folder)
        let family = destination.address.address.family
        if let address, address.family != family { throw OtherFamily(source: address, destination: destination) }
        let client = try address ?? (isPod ? nil : documentationAddress(family, besides: destination, maps))
        let explainer = PacketExplainer(
            source: source, destination: destination,
            records: try LiveRecords(destination, from: client, in: maps),
            facts: try PacketFacts.read(
                source: client, isPod: isPod,
                podsAreLocal: family == .ipv4 ? constants.podsAreLocalIPv4 : constants.podsAreLocalIPv6,
                device: device, in: maps))
        var explanation = explainer.explanation()
        switch PacketProof(explainer: explainer, constants: constants, folder: folder).find(for: explanation) {
        case .notAsked(let why): return LiveExplanation(explanation, "decided by the records alone, since \(why)")
        case .asked(let report, let clause):
            if explainer.dependsOnRoutes, report.verdict == .passed { explanation.outcome = .notHandled }
            return LiveExplanation(explanation, clause, program: report, agrees: report.agrees)
        }
    }

    /// A client that nobody is (RFC 5737, RFC 3849), and that is not taken here all the same.
    private static func documentationAddress(
        _ family: AddressFamily, besides destination: FrontendAddress, _ maps: borrowing DatapathMaps
    ) throws -> IPAddress? {
        let candidates =
            switch family {
            case .ipv4: ["192.0.2.1", "198.51.100.1", "203.0.113.1"]
            case .ipv6: ["2001:db8::c1:1", "2001:db8::c1:2", "3fff::1"]
            }
        for address in candidates.compactMap({ IPAddress($0) }) where address != destination.address.address {
            if try maps.nodeAddresses.lookup(dp_address(address)) == nil { return address }
        }
        return nil
    }
}

/// The contract of the command line, with what the packet programs did as one more member.
extension LiveExplanation: Encodable {
    private enum Member: String, CodingKey {
        case program
    }

    package func encode(to encoder: any Encoder) throws {
        try explanation.encode(to: encoder)
        var container = encoder.container(keyedBy: Member.self)
        try container.encode(program, forKey: .program)
    }
}

/// A packet cannot have addresses of two families.
package struct OtherFamily: Error, CustomStringConvertible {
    package var source: IPAddress
    package var destination: FrontendAddress
    package var description: String { "the client \(source) is not of the family of \(destination)" }
}

/// One question to the real programs.
private struct Proof {
    let source: TrafficSource
    let destination: FrontendAddress
    let folder: PinFolder
    let constants: ProgramConstants
    let hasAffinity: Bool

    /// What the kernel did, or why it was not asked; the second half of a sentence.
    func clause(for explanation: Explanation) -> (String, agrees: Bool) {
        if let obstacle = obstacle() { return ("decided by the records alone, since \(obstacle)", true) }
        do {
            return confirm(try dial(), explanation)
        } catch {
            return ("decided by the records alone, since the real programs could not be asked (\(error))", true)
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

    private func confirm(_ result: Result, _ explanation: Explanation) -> (String, agrees: Bool) {
        let wanted =
            switch explanation.outcome {
            case .dnat: "one of its backends"
            case .reject: "ECONNREFUSED"
            case .drop: "EPERM"
            case .notHandled: "the address as it is"
            }
        switch (result, explanation.outcome) {
        case (.connected(let peer), .dnat) where explanation.backends.contains(peer.description):
            return ("a real UDP connect of this process went to \(peer)", true)
        case (.connected(let peer), .notHandled) where peer == destination.address:
            return ("a real UDP connect of this process was left as it is", true)
        case (.failed(let error), .reject) where error.errno == ECONNREFUSED:
            return ("a real UDP connect of this process was refused", true)
        case (.failed(let error), .drop) where error.errno == EPERM:
            return ("a real UDP connect of this process was dropped (EPERM)", true)
        case (.connected(let peer), _):
            return ("but a real UDP connect of this process went to \(peer), where \(wanted) was expected", false)
        case (.failed(let error), _):
            return ("but a real UDP connect of this process failed (\(error)), where \(wanted) was expected", false)
        }
    }
}
