// The configuration file while the agent runs: what can be takes effect, what is wrong changes nothing, and people are
// told of both.

import Inspection
import LoadBalancing
import Logging
import Reconciler
import Telemetry

/// How it stands with the configuration file.
struct ConfigurationState: Sendable {
    var path: String?
    /// Why its newest content is not in force; nil when it is.
    var problem: String?
    /// Fields whose newest value takes effect at the next start.
    var forTheNextStart: [String] = []
    var applied: UInt64 = 0
    var refused: UInt64 = 0

    /// For people; nil when there is nothing to tell.
    var statusProblem: AgentStatus.Problem? {
        problem.map {
            AgentStatus.Problem(
                file: path, object: "configuration",
                message: "\($0); the configuration that was read before stays in force")
        }
    }

    var notice: String? {
        guard !forTheNextStart.isEmpty else { return nil }
        return "the configuration has changes that take effect at the next start: "
            + forTheNextStart.joined(separator: ", ")
    }

    var metricFamilies: [MetricFamily] {
        [
            MetricFamily(
                .counter, "martlet_configuration_changes_total",
                help: "Contents of the configuration file that came while the agent ran, by what became of them.",
                samples: [
                    MetricSample(applied, labels: ["result": "applied"]),
                    MetricSample(refused, labels: ["result": "refused"]),
                ]),
            MetricFamily(
                .gauge, "martlet_configuration_in_force",
                help: "1 unless the file is wrong, or has changes that take effect at the next start.",
                samples: [MetricSample(problem == nil && forTheNextStart.isEmpty ? 1 : 0)]),
        ]
    }
}

extension NodeAgent {
    /// - Throws: when the agent is to be started anew.
    package func take(
        _ news: ConfigurationNews, from path: String, now: ContinuousClock.Instant
    ) async throws(ConfigurationChanged) {
        stateIsStale = true
        configuration.path = path
        switch news {
        case .mustRestart(let reason): throw ConfigurationChanged(description: "\(path): \(reason)")
        case .unusable(let reason):
            configuration.problem = reason
            configuration.refused += 1
            log.error(
                "the configuration file is wrong; what was read before stays in force",
                metadata: ["file": "\(path)", "error": "\(reason)"])
        case .settings(let live, let fields):
            configuration.problem = nil
            configuration.applied += 1
            configuration.forTheNextStart = fields
            await follow(live, now: now)
            log.info("the configuration file has changed and is in force", metadata: ["file": "\(path)"])
            if let notice = configuration.notice { log.warning("\(notice)") }
        }
    }

    private func follow(_ newer: LiveSettings, now: ContinuousClock.Instant) async {
        await reconciler.set(grace: newer.gracePeriod, auditInterval: newer.auditInterval, now: now)
        let change = adopt(newer, now: now)
        await programNodeChange(change, now: now)
    }
}
