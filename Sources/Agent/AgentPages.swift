// The pages that the agent has beside its metrics (MET-2): which mode it stands for, how it is configured, and how it is.

import Foundation
import HTTPServing
import LoadBalancing
import NIOHTTP1
import ServiceModel

package struct AgentPages: Sendable {
    /// kube-proxy's mode of which the defaults are in force: what its own page would say.
    package var proxyMode: String
    /// The configuration in force, as JSON.
    package var configuration: String
    /// The command line, without the program and the command.
    package var words: [String]

    package init(proxyMode: String = "nftables", configuration: String = "{}", words: [String] = []) {
        self.proxyMode = proxyMode
        self.configuration = configuration
        self.words = words
    }

    func all(of agent: NodeAgent) -> [String: @Sendable () async -> HTTPAnswer] {
        let paths = ["/configz", "/flagz", "/healthz", "/metrics", "/metrics/slis", "/proxyMode", "/statusz"]
        return [
            "/proxyMode": { HTTPAnswer(status: .ok, body: proxyMode) },
            "/configz": {
                HTTPAnswer(
                    status: .ok, contentType: "application/json",
                    headers: [.init(name: "Cache-Control", value: "no-cache, private")], body: configuration)
            },
            "/flagz": { HTTPAnswer(status: .ok, body: flags) },
            "/statusz": { HTTPAnswer(status: .ok, body: await agent.statusText(paths: paths)) },
        ]
    }

    /// A line for each flag, as it was given.
    private var flags: String {
        var lines: [String] = []
        for word in words {
            if word.hasPrefix("-") || lines.isEmpty { lines.append(word) } else { lines[lines.count - 1] += "=\(word)" }
        }
        return AgentPages.head("flagz") + lines.map { "\($0)\n" }.joined()
    }

    static func head(_ page: String) -> String {
        "martlet \(page)\nFor people: what is here, and how it is written, changes between versions.\n\n"
    }
}

extension NodeAgent {
    fileprivate func statusText(paths: [String]) -> String {
        let style = Date.ISO8601FormatStyle()
        let lines = [
            "Started: \(startedAt.formatted(style))",
            "Up: \(Int(Date().timeIntervalSince(startedAt))) s",
            "Binary version: \(Version.current)",
            "Node: \(settings.node.nodeName)",
            "Source: \(settings.source.words)",
            "Synced: \(isSynced)",
            "Services: \(planner.facts.services.count)",
            "Paths: \(paths.joined(separator: " "))",
        ]
        return AgentPages.head("statusz") + lines.map { "\($0)\n" }.joined()
    }
}
