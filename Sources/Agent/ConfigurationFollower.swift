// The configuration file while the agent runs: what another content of it comes to. What a content means is the command
// line's business, since its options go before the file.

package import LoadBalancing
package import ManifestSource

package enum ConfigurationNews: Sendable {
    /// As much as can take effect now, and the fields that take effect at the next start.
    case settings(LiveSettings, forTheNextStart: [String])
    /// It is wrong, and changes nothing; why.
    case unusable(String)
    /// The agent is to end, so that its supervisor starts it anew (LIFE-7); why.
    case mustRestart(String)
}

/// What of the settings may change while the agent runs.
package struct LiveSettings: Hashable, Sendable {
    package var node: NodeSettings
    package var auditInterval: Duration?
    package var gracePeriod: Duration
    package var minimumSyncInterval: Duration

    package init(
        node: NodeSettings, auditInterval: Duration?, gracePeriod: Duration, minimumSyncInterval: Duration
    ) {
        self.node = node
        self.auditInterval = auditInterval
        self.gracePeriod = gracePeriod
        self.minimumSyncInterval = minimumSyncInterval
    }
}

package struct ConfigurationFollower: Sendable {
    let path: String
    private let known: [UInt8]
    private let read: @Sendable (FileWatcher.News) -> ConfigurationNews

    /// - Parameters:
    ///   - known: the content that the agent was started with.
    ///   - read: what another content comes to.
    package init(
        path: String, known: [UInt8], read: @escaping @Sendable (FileWatcher.News) -> ConfigurationNews
    ) {
        self.path = path
        self.known = known
        self.read = read
    }

    func updates() -> AsyncStream<FileWatcher.News> { FileWatcher(path: path, known: known).updates() }

    func news(_ news: FileWatcher.News) -> ConfigurationNews { read(news) }
}

/// The configuration file was edited or renamed.
package struct ConfigurationChanged: Error, CustomStringConvertible {
    package let description: String
}
