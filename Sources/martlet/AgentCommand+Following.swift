// What another content of the configuration file comes to in an agent that runs: options go before the file, as at the
// start.

import Agent
import ConfigurationFiles
import LoadBalancing
import Logging
import ManifestSource

struct ConfigurationReload: Sendable {
    let file: String
    /// As the agent was started.
    let first: AgentConfiguration
    let nodeName: String
    let auditInterval: Duration?
    let hasAuditOption: Bool
    let gracePeriod: Duration?
    /// The options' level, and where to set another; nil: the file decides.
    let fixedLevel: Logger.Level?
    let level: LogLevel
    let log: Logger

    var follower: (_ content: [UInt8]) -> ConfigurationFollower {
        { content in ConfigurationFollower(path: file, known: content) { news($0) } }
    }

    private func news(_ content: FileWatcher.News) -> ConfigurationNews {
        guard first.kind == .martlet else {
            return .mustRestart("was edited or renamed; the agent ends, to be started anew, as kube-proxy does")
        }
        switch content {
        case .unreadable(let reason): return .unusable(reason)
        case .content(let bytes):
            do {
                return read(try ConfigurationFile(path: file).read(bytes))
            } catch let error as ConfigurationUnusable {
                return .unusable(error.reason)
            } catch {
                return .unusable("\(error)")
            }
        }
    }

    private func read(_ newer: AgentConfiguration) -> ConfigurationNews {
        guard newer.kind == .martlet else { return .unusable("is a KubeProxyConfiguration now") }
        for notice in newer.notices { log.warning("configuration: \(notice)") }
        level.current = fixedLevel ?? newer.level ?? .info
        return .settings(
            LiveSettings(
                node: first.liveSettings(of: newer, nodeName: nodeName),
                auditInterval: hasAuditOption ? auditInterval : newer.auditInterval,
                gracePeriod: gracePeriod ?? newer.gracePeriod, minimumSyncInterval: newer.minimumSyncInterval),
            forTheNextStart: first.fieldsForTheNextStart(in: newer))
    }
}

extension AgentConfiguration {
    /// Nil when the file does not say.
    var level: Logger.Level? { logLevel.flatMap { Logger.Level(rawValue: $0) } }
}
