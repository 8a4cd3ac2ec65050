// Where the agent's facts come from: files of manifests, or an API server. What is common to both is here; the agent
// takes news from either in the same way.

import Inspection
package import KubernetesClient
package import KubernetesSource
package import ManifestSource
package import ServiceModel

package enum FactSource: Sendable {
    case manifests(ManifestWatcher)
    case kubernetes(KubernetesSource, APIClient)

    /// A source that has begun to look.
    package struct News: Sendable {
        /// Fires when there may be something to take. For one reader.
        package let signals: AsyncStream<Void>
        /// What is new since the last call, as one update however much it is; nil when nothing is.
        package let take: @Sendable () -> SourceUpdate?
    }

    /// To be called once.
    package func open() -> News {
        switch self {
        case .manifests(let watcher):
            let updates = watcher.updates()
            return News(signals: updates.signals) { updates.take() }
        case .kubernetes(let source, _): return News(signals: source.signals) { source.take() }
        }
    }

    /// The work of a source that has no thread of its own. Returns when the task is cancelled, or at once.
    package func work() async {
        switch self {
        case .manifests: break
        case .kubernetes(let source, _): await source.run()
        }
    }

    /// What its objects are called in logs, as a plural.
    var noun: String {
        switch self {
        case .manifests: "manifests"
        case .kubernetes: "objects of the API server"
        }
    }

    /// As the label of a metric.
    var label: String {
        switch self {
        case .manifests: "manifests"
        case .kubernetes: "kubernetes"
        }
    }
}

extension FactSourceSettings {
    /// In words for people.
    var words: String {
        switch self {
        case .manifests(let path): "manifests in \(path)"
        case .kubernetes(let access, _): "API server \(access.servers.map(\.description).joined(separator: ", "))"
        }
    }
}
