// Follows an API server: Services, EndpointSlices, this Node and the ServiceCIDRs (API-1), as facts in the shape in which
// every source tells them. Interrupted, it says nothing, and what it said stays in force (API-8).

package import KubernetesClient
package import Logging
package import ServiceModel

package struct KubernetesSource: Sendable {
    package struct Settings: Sendable {
        /// Ask for JSON alone; protobuf goes first otherwise, and what the server then answers is read.
        package var wantsJSON = false
        package var timing = ReflectorTiming()

        package init() {}

        /// As kube-proxy's clients ask.
        var accept: String { wantsJSON ? "application/json" : "application/vnd.kubernetes.protobuf, */*" }
    }

    private let client: APIClient
    private let nodeName: String
    private let settings: Settings
    private let log: Logger
    private let mailbox: FactMailbox
    private let uids = ObjectUIDs()
    /// Fires when there may be something to take, or `states` shows something else. Signals that are not fetched in
    /// time become one.
    package let signals: AsyncStream<Void>

    /// Nothing happens before `run()`. `signals` is for one reader.
    package init(client: APIClient, nodeName: String, settings: Settings = Settings(), log: Logger) {
        self.client = client
        self.nodeName = nodeName
        self.settings = settings
        self.log = log
        let (signals, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.signals = signals
        mailbox = FactMailbox(signal: continuation)
    }

    /// What is new since the last call; nil when nothing is.
    package func take() -> SourceUpdate? { mailbox.take() }

    /// How it stands with each resource.
    package var states: [FactKind: ResourceState] { mailbox.states }

    /// The uid of an object that the server has; nil when it is not known.
    package func uid(of identity: ObjectIdentity) -> String? { uids.uid(of: identity) }

    /// Returns when the task is cancelled, with every connection closed.
    package func run() async {
        await withDiscardingTaskGroup { group in
            for kind in FactKind.allCases {
                var follower = ResourceFollower(
                    Selection(kind: kind, nodeName: nodeName), settings, client: client, mailbox: mailbox,
                    uids: uids, log: log)
                group.addTask { await follower.run() }
            }
            group.addTask { await limitPatience() }
        }
        await client.shutDown()
    }

    /// The Node alone holds the first update up, and only for so long.
    private func limitPatience() async {
        let interval = Duration.milliseconds(100)
        var patience = settings.timing.nodePatience
        while !Task.isCancelled, patience > .zero {
            guard (try? await Task.sleep(for: interval)) != nil else { return }
            if mailbox.waitsForNodeOnly { patience -= interval }
            if mailbox.isComplete { return }
        }
        mailbox.giveUpOnNode()
    }
}
