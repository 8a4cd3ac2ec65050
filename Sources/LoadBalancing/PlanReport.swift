// The plan as `martlet plan -o json` prints it: the families of a service port together, everything ordered, absent
// values as null. A contract with scripts; the plan's own values are in ServicePortPlan. No encoder is chosen here.

import NetworkTypes
package import ServiceModel

package struct PlanReport: Codable, Hashable, Sendable {
    package struct TargetSets: Codable, Hashable, Sendable {
        /// As text, `10.0.1.2:8080` or `[fd00::1]:80`, in the order of the text.
        package var cluster: [String]
        package var local: [String]
    }

    package struct Frontend: Codable, Hashable, Sendable {
        package var kind: String
        package var address: String
        package var port: UInt16
        package var externalTo: String
        package var internalTo: String
        /// Empty: unrestricted. Nil where they are not known, as in an explanation from the pinned maps.
        package var sourceRanges: [String]?
        /// `deny` where the ranges name those who are not admitted; absent otherwise.
        package var sourceRangesPolicy: String?
    }

    package struct Problem: Codable, Hashable, Sendable {
        package var object: String
        /// A sentence, led by the field if one is meant.
        package var message: String
    }

    package var node: String
    /// By namespace, service, port name and protocol.
    package var servicePorts: [ServicePortReport]
    package var problems: [Problem]

    package init(_ planner: Planner) {
        self.init(node: planner.settings.nodeName, servicePorts: planner.servicePorts, problems: planner.problems)
    }

    /// `problems` may hold more than the planner's: those of reading the manifests.
    package init(node: String, servicePorts: [ServicePortPlan], problems: [ObjectProblem]) {
        self.node = node
        self.servicePorts = servicePorts.sorted { $0.name < $1.name }.map { ServicePortReport($0) }
        self.problems = problems.map { Problem($0) }
    }
}

package struct ServicePortReport: Codable, Hashable, Sendable {
    package var namespace: String
    package var service: String
    package var portName: String
    package var `protocol`: String
    package var port: UInt16
    package var targetSets: PlanReport.TargetSets
    package var usesCluster: Bool
    package var usesLocal: Bool
    package var healthCheckNodePort: UInt16?
    package var sessionAffinitySeconds: UInt32?
    /// By kind, address and port.
    package var frontends: [PlanReport.Frontend]

    package init(_ plan: ServicePortPlan) {
        namespace = plan.name.service.namespace
        service = plan.name.service.name
        portName = plan.name.portName
        `protocol` = plan.name.protocolKind.description
        port = plan.port
        targetSets = PlanReport.TargetSets(
            cluster: plan.families.flatMap(\.cluster).map(\.address.description).sorted(),
            local: plan.families.flatMap(\.local).map(\.address.description).sorted())
        usesCluster = plan.families.contains(where: \.usesCluster)
        usesLocal = plan.families.contains(where: \.usesLocal)
        healthCheckNodePort = plan.healthCheckNodePort
        sessionAffinitySeconds = plan.sessionAffinitySeconds
        let all = plan.families.flatMap(\.frontends).sorted { $0.precedes($1) }
        frontends = all.map { PlanReport.Frontend($0) }
    }

    /// By hand, since a synthesised one leaves absent values out.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(namespace, forKey: .namespace)
        try container.encode(service, forKey: .service)
        try container.encode(portName, forKey: .portName)
        try container.encode(`protocol`, forKey: .protocol)
        try container.encode(port, forKey: .port)
        try container.encode(targetSets, forKey: .targetSets)
        try container.encode(usesCluster, forKey: .usesCluster)
        try container.encode(usesLocal, forKey: .usesLocal)
        try container.encode(healthCheckNodePort, forKey: .healthCheckNodePort)
        try container.encode(sessionAffinitySeconds, forKey: .sessionAffinitySeconds)
        try container.encode(frontends, forKey: .frontends)
    }
}

extension PlanReport.Frontend {
    package init(_ plan: FrontendPlan) {
        kind = plan.kind.description
        address = plan.address.address.description
        port = plan.address.port
        externalTo = plan.externalTo.rawValue
        internalTo = plan.internalTo.rawValue
        sourceRanges = plan.sourceRanges.map(\.description)
        if !plan.sourceRanges.isEmpty, plan.sourceRangesPolicy == .deny {
            sourceRangesPolicy = plan.sourceRangesPolicy.rawValue
        }
    }

    /// By hand, since a synthesised one leaves absent values out.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(address, forKey: .address)
        try container.encode(port, forKey: .port)
        try container.encode(externalTo, forKey: .externalTo)
        try container.encode(internalTo, forKey: .internalTo)
        try container.encode(sourceRanges, forKey: .sourceRanges)
        try container.encodeIfPresent(sourceRangesPolicy, forKey: .sourceRangesPolicy)
    }
}

extension PlanReport.Problem {
    package init(_ problem: ObjectProblem) {
        object = problem.object
        message = problem.field.isEmpty ? problem.message : "\(problem.field): \(problem.message)"
    }
}
