// Between the reflectors and whoever takes their news: of each object the newest value alone, however slow the taker is
// (so that a flood costs the memory of the objects, not of the events), and nothing at all before the initial lists of
// Services and EndpointSlices are complete (SYNC-1).

package import ServiceModel
import Synchronization

package final class FactMailbox: Sendable {
    private struct Content {
        var pending: [ObjectIdentity: FactChange] = [:]
        var problems: [FactKind: [SourceProblem]] = [:]
        var synced: Set<FactKind> = []
        /// The Node is waited for no longer.
        var nodeIsOverdue = false
        var isFirstTold = false
        var problemsTold: [SourceProblem] = []
        var states: [FactKind: ResourceState] = [:]

        /// The Node is waited for a little, ServiceCIDRs not at all.
        var isComplete: Bool {
            synced.isSuperset(of: [.service, .endpointSlice]) && (nodeIsOverdue || synced.contains(.node))
        }
    }

    private let content = Mutex(Content())
    private let signal: AsyncStream<Void>.Continuation

    package init(signal: AsyncStream<Void>.Continuation) {
        self.signal = signal
    }

    /// Objects with news that nobody has taken.
    package var pendingCount: Int { content.withLock { $0.pending.count } }

    /// Changes of one kind, in order. `problems` are all of the kind, nil when they are as before.
    package func put(_ changes: [FactChange], problems: [SourceProblem]?, isSynced: Bool, kind: FactKind) {
        let isNews = content.withLock { content in
            for change in changes {
                // Nobody needs to be told that something is gone which nobody has been told of.
                content.pending[change.identity] = change.isDeletion && !content.isFirstTold ? nil : change
            }
            if let problems { content.problems[kind] = problems }
            if isSynced { content.synced.insert(kind) }
            return content.isComplete || problems != nil
        }
        if isNews { signal.yield() }
    }

    /// Whether all but the Node is there.
    var waitsForNodeOnly: Bool {
        content.withLock {
            !$0.isComplete && $0.synced.isSuperset(of: [.service, .endpointSlice])
        }
    }

    var isComplete: Bool { content.withLock { $0.isComplete } }

    func giveUpOnNode() {
        content.withLock { $0.nodeIsOverdue = true }
        signal.yield()
    }

    /// What people see of a reflector.
    func set(_ state: ResourceState, of kind: FactKind) {
        let isDifferent = content.withLock { content in
            defer { content.states[kind] = state }
            return content.states[kind]?.isShownAs(state) != true
        }
        if isDifferent { signal.yield() }
    }

    var states: [FactKind: ResourceState] { content.withLock { $0.states } }

    /// What is new since the last call; nil when nothing is.
    package func take() -> SourceUpdate? {
        content.withLock { content in
            let problems = FactKind.allCases.flatMap { content.problems[$0] ?? [] }
            let isFirst = content.isComplete && !content.isFirstTold
            var changes: [FactChange] = []
            if content.isComplete, !content.pending.isEmpty {
                changes = content.pending.sorted { $0.key < $1.key }.map(\.value)
                content.pending = [:]
            }
            guard isFirst || !changes.isEmpty || problems != content.problemsTold else { return nil }
            content.isFirstTold = content.isComplete
            content.problemsTold = problems
            return SourceUpdate(changes: changes, problems: problems, isFirst: isFirst)
        }
    }
}

extension FactChange {
    var identity: ObjectIdentity {
        switch self {
        case .service(let name, _): ObjectIdentity(kind: .service, name: name)
        case .endpointSlice(let name, _): ObjectIdentity(kind: .endpointSlice, name: name)
        case .node(let name, _): ObjectIdentity(kind: .node, name: ObjectName(namespace: "", name: name))
        case .serviceCIDR(let name, _): ObjectIdentity(kind: .serviceCIDR, name: ObjectName(namespace: "", name: name))
        }
    }
}
