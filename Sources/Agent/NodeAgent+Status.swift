// What the agent publishes of itself in the state file, for `martlet status`.

import BPF
import Datapath
import DatapathImage
import Foundation
package import Inspection
import LoadBalancing
import NetworkTypes
import Reconciler
import ServiceModel

extension NodeAgent {
    /// Cost: all services with problems and all failed frontends.
    package func status() async -> AgentStatus {
        let failed = await reconciler.failedFrontends
        let used = await reconciler.usage.used
        // What has failed may be there as it was before, or not at all.
        let outdated = failed.count { (try? datapath.maps.frontends.lookup($0.key)) != nil }
        return AgentStatus(
            pid: ProcessInfo.processInfo.processIdentifier, version: Version.current, startedAt: startedAt,
            updatedAt: Date(), synced: isSynced, source: settings.source.words,
            services: planner.facts.services.count,
            frontends: AgentStatus.Programmed(programmed: used.frontends - outdated, failed: failed.count),
            frontendErrors: failed.compactMap { frontendError($0) },
            problems: problems + Self.problems(ofRanges: await reconciler.failedServiceCIDRs), notices: notices,
            lastAudit: lastAudit.map {
                AgentStatus.Audit(
                    at: date(of: $0.at), differences: $0.report.differences,
                    repaired: $0.report.repair.isEmpty ? 0 : $0.report.differences)
            }, attachments: attachments, sourcePorts: sourcePorts?.text, api: source.status)
    }

    private func frontendError(_ status: FrontendStatus) -> AgentStatus.FrontendError? {
        guard case .failed(let reason, let since, let attempts) = status.state else { return nil }
        return AgentStatus.FrontendError(
            frontend: status.key.description, service: servicePort(of: status.key).map { "\($0)" } ?? "", error: reason,
            since: date(of: since), attempts: attempts)
    }

    /// Nil for a wildcard, and when the service is gone.
    func servicePort(of key: FrontendKey) -> ServicePortName? {
        guard let protocolKind = TransportProtocol(rawValue: key.protocolNumber) else { return nil }
        let place = AddressAndPort(address: key.address, port: key.port)
        guard let owner = planner.owner(of: FrontendAddress(address: place, protocol: protocolKind)) else {
            return nil
        }
        return planner.servicePlan(of: owner)?.ports.first { port in
            port.name.protocolKind == protocolKind
                && port.families.contains { $0.frontends.contains { $0.address == place } }
        }?.name
    }

    private var problems: [AgentStatus.Problem] {
        let read = sourceProblems.map { problem in
            AgentStatus.Problem(
                file: problem.file, document: problem.document, object: problem.problem.object,
                field: problem.problem.field, message: problem.problem.message + problem.consequence.words)
        }
        let planned = plannerProblems.sorted { $0.key < $1.key }.flatMap(\.value).map { problem in
            AgentStatus.Problem(object: problem.object, field: problem.field, message: problem.message)
        }
        let addresses = addressTrouble.map { reason in
            AgentStatus.Problem(
                object: "node addresses",
                message: "changes go unnoticed until they can be followed again: \(reason)")
        }
        return read + planned + [addresses, configuration.statusProblem].compactMap { $0 }
    }

    private static func problems(ofRanges failed: [CIDR]) -> [AgentStatus.Problem] {
        failed.map {
            AgentStatus.Problem(
                object: "service range \($0)",
                message: "map service_cidrs is full; addresses in it that no service owns are let through")
        }
    }

    private var notices: [String] {
        let standing =
            datapath.notices + (attachments?.leftovers ?? [])
            + [sourcePorts?.trouble, handoverNotice, configuration.notice].compactMap { $0 }
        guard let kept = keptFrontends, kept > 0 else { return standing }
        return standing + [
            "\(kept) frontends of an earlier run are kept until all \(source.noun) can be read without errors"
        ]
    }
}
