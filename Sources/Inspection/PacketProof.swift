// Whether the packet programs do what the records say: one packet of the kind that is asked about goes through the real
// programs, and what comes out is compared with the explanation.

import CDatapathABI
import Datapath
import DatapathImage
import LoadBalancing
import NetworkTypes
import SystemCalls

struct PacketProof {
    let explainer: PacketExplainer
    let constants: ProgramConstants
    let folder: PinFolder

    enum Finding {
        /// The programs were not asked; why, as the rest of a sentence.
        case notAsked(String)
        case asked(ProgramReport, clause: String)
    }

    func find(for explanation: Explanation) -> Finding {
        guard let entrance = explainer.facts.entrance else { return .notAsked("there is no program to ask") }
        guard let source = explainer.facts.source else { return .notAsked("the pod's address is not given") }
        guard (try? InternetSocket(.udp, .ipv4).namespaceCookie()) == constants.hostNamespaceCookie else {
            return .notAsked("this process is not in the node's network namespace")
        }
        do {
            let run = try ProgramRun(
                DatapathMaps.open(folder), from: source, to: explainer.destination.address,
                explainer.destination.protocolKind, at: entrance.index)
            let result = try run.perform(serviceID: explainer.records.exact?.fields.service_id ?? 0)
            return finding(explanation, result, run.client, entrance)
        } catch {
            return .notAsked("the real programs could not be asked (\(error))")
        }
    }

    private func finding(
        _ explanation: Explanation, _ result: ProgramResult, _ client: AddressAndPort, _ entrance: PacketFacts.Entrance
    ) -> Finding {
        let objection = objection(to: result, explanation, client)
        let report = ProgramReport(
            result, client: client, frontend: explainer.destination.address, device: entrance.name,
            agrees: objection == nil)
        let what = "the real program (\(result.hook.rawValue)) \(Self.words(result))"
        if let objection {
            let reasons =
                report.countedMeanwhile.isEmpty
                ? "" : " (counted meanwhile: \(report.countedMeanwhile.joined(separator: ", ")))"
            return .asked(report, clause: "but \(what), where \(objection) was expected\(reasons)")
        }
        return .asked(report, clause: "\(what) when it was given a packet from \(client)")
    }

    /// What was expected instead; nil: the result is as explained.
    private func objection(
        to result: ProgramResult, _ explanation: Explanation, _ client: AddressAndPort
    ) -> String? {
        switch explanation.outcome {
        case .dnat: return forwardingObjection(to: result, explanation, client)
        case .reject:
            let isLeft = explainer.dependsOnRoutes && isUntouched(result, client)
            return result.verdict == .refused || isLeft ? nil : "a refusal"
        case .drop: return result.verdict == .dropped ? nil : "silence"
        case .notHandled: return isUntouched(result, client) ? nil : "no interest"
        }
    }

    private func isUntouched(_ result: ProgramResult, _ client: AddressAndPort) -> Bool {
        result.verdict == .passed && result.packet?.source == client
            && result.packet?.destination == explainer.destination.address
    }

    private func forwardingObjection(
        to result: ProgramResult, _ explanation: Explanation, _ client: AddressAndPort
    ) -> String? {
        guard result.verdict == .passed || result.verdict == .sent, let packet = result.packet,
            let record = explainer.records.exact
        else { return "one of its backends" }
        let place = packet.backend
        let set = explainer.facts.client == .outside ? explainer.records.externalSet : explainer.records.internalSet
        guard let backend = set.compactMap(\.self).first(where: { $0.address == place }) else {
            return "one of its backends"
        }
        // To other nodes in a tunnel, or by option with the client's own address and port.
        let isDirect = explainer.isTunnelled(record) && !backend.isLocal
        guard packet.tunnel == nil || isDirect else { return "no tunnel" }
        if isDirect, packet.source != client { return "the client's own address and port" }
        // A client on this node may be masqueraded with the address that it has.
        if explainer.isMasqueraded(record, backend) {
            return packet.source == client ? "an address and port of this node as source" : nil
        }
        return packet.source.address == client.address ? nil : "the client's own address"
    }

    private static func words(_ result: ProgramResult) -> String {
        let packet = result.packet
        switch result.verdict {
        case .dropped: return "dropped it"
        case .refused: return "refused it"
        case .passed, .sent:
            guard let packet else { return "let something go that is no packet" }
            let verb = result.verdict == .sent ? "sent it on" : "passed it on"
            if let tunnel = packet.tunnel { return "\(verb) in a tunnel to \(tunnel.destination)" }
            return "\(verb) to \(packet.destination) as from \(packet.source)"
        }
    }
}

extension ReadPacket {
    /// Where it goes in the end.
    fileprivate var backend: AddressAndPort {
        tunnel.map { AddressAndPort(address: $0.destination, port: $0.port) } ?? destination
    }
}

extension ProgramReport {
    fileprivate init(
        _ result: ProgramResult, client: AddressAndPort, frontend: AddressAndPort, device: String?, agrees: Bool
    ) {
        let tunnel = result.packet?.tunnel.map {
            Tunnel(source: $0.source.description, destination: $0.destination.description)
        }
        self.init(
            agrees: agrees, client: client.description, frontend: frontend.description, device: device,
            hook: result.hook.rawValue, verdict: result.verdict, source: result.packet?.source.description,
            destination: result.packet?.destination.description, tunnel: tunnel,
            countedMeanwhile: result.counted.map(\.name))
    }
}
