// What of the agent's business people find as Events of the cluster: that it starts, and what they can mend. Everything is
// in the log as well; with manifests there is nobody to tell.

package import HTTPServing
package import HealthCheckServer
package import KubernetesEvents
package import ServiceModel

package struct AgentEvents: Sendable {
    private let nodeName: String
    private let recorder: EventRecorder?
    /// Nil when it is not known.
    private let uid: @Sendable (ObjectIdentity) -> String?

    /// - Parameter recorder: nil: nothing is told.
    package init(
        nodeName: String, recorder: EventRecorder?, uid: @escaping @Sendable (ObjectIdentity) -> String? = { _ in nil }
    ) {
        self.nodeName = nodeName
        self.recorder = recorder
        self.uid = uid
    }

    /// Nil when nothing is told.
    package var counters: EventCounters? { recorder?.counters }

    /// API-7: as kube-proxy says it.
    package func starting() {
        tellNode(.normal, "Starting", "StartKubeProxy", "")
    }

    /// The servers that belong to the node.
    package enum Server: Sendable {
        case health
        case metrics

        var failureReason: String {
            switch self {
            case .health: "FailedToStartProxierHealthcheck"
            case .metrics: "FailedToStartMetricServer"
            }
        }
    }

    /// HZ-5. When the agent ends because of it, it waits for the event to be sent, but not for long.
    package func cannotListen(_ server: Server, _ error: ListenError, isLast: Bool) async {
        tellNode(.warning, server.failureReason, "StartKubeProxy", "\(error)")
        if isLast { await recorder?.flush(within: .seconds(5)) }
    }

    /// HC-6.
    package func healthCheckFailed(_ failure: HealthCheckFailure) {
        tell(
            ObjectIdentity(kind: .service, name: failure.service), "FailedToStartServiceHealthcheck", "Listen",
            failure.reason)
    }

    /// Something is wrong with an object as it is written.
    package func inputProblem(_ problem: SourceProblem) {
        guard let identity = ObjectIdentity(words: problem.problem.object) else { return }
        let field = problem.problem.field.isEmpty ? "" : "\(problem.problem.field): "
        tell(
            identity, problem.consequence == .leftOut ? "FieldIgnored" : "ObjectNotUsable", "ReadObject",
            field + problem.problem.message + problem.consequence.words)
    }

    /// A service is not served as it says, since another one has its address, say.
    package func serviceProblem(_ service: ObjectName, _ problem: ObjectProblem) {
        let field = problem.field.isEmpty ? "" : "\(problem.field): "
        tell(
            ObjectIdentity(kind: .service, name: service), "NotServedAsSpecified", "PlanService",
            field + problem.message)
    }

    /// A frontend has no room in the kernel's maps, or is refused there.
    package func frontendFailed(_ frontend: String, of service: ObjectName, reason: String, hasRecord: Bool) {
        tell(
            ObjectIdentity(kind: .service, name: service), "FrontendNotProgrammed", "ProgramService",
            "\(frontend) is not programmed on node \(nodeName): \(reason); "
                + (hasRecord ? "what it had stays in force" : "nothing serves it until it is"))
    }

    private func tell(_ identity: ObjectIdentity, _ reason: String, _ action: String, _ note: String) {
        guard let recorder else { return }
        let object = identity.kind == .node ? .node(identity.name.name) : EventObject(identity, uid: uid(identity))
        recorder.record(EventNotice(.warning, regarding: object, reason: reason, action: action, note: note))
    }

    private func tellNode(_ kind: EventNotice.Kind, _ reason: String, _ action: String, _ note: String) {
        recorder?.record(EventNotice(kind, regarding: .node(nodeName), reason: reason, action: action, note: note))
    }
}

extension ObjectIdentity {
    /// What `description` makes of one: `Service default/web`, `Node n1`. Nil for all that does not say clearly which
    /// object is meant.
    fileprivate init?(words: String) {
        let parts = words.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = FactKind(rawValue: String(parts[0])), !parts[1].isEmpty else { return nil }
        guard kind.isNamespaced else {
            self.init(kind: kind, name: ObjectName(namespace: "", name: String(parts[1])))
            return
        }
        let names = parts[1].split(separator: "/", omittingEmptySubsequences: false)
        guard names.count == 2, !names[0].isEmpty, !names[1].isEmpty else { return nil }
        self.init(kind: kind, name: ObjectName(namespace: String(names[0]), name: String(names[1])))
    }
}
