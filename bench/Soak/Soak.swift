// Plays the script while the loads run, and keeps an eye on who answers.

import HostCalls
import ProbeProtocol
import World

struct Soak {
    let stage: SoakStage
    let script: SoakScript
    let requests: Int
    /// Connections of each load; standing connections in all.
    let concurrency: Int
    let standing: Int
    let isQuiet: Bool

    /// Until connections that began before a change have been answered.
    private static let drainMilliseconds: UInt32 = 500
    /// How long each state is watched at least.
    private static let watchMilliseconds: UInt32 = 700

    func run() throws -> SoakReport {
        let began = ContinuousClock.now
        let loads = try startLoads()
        try watch(loads, until: requests / (script.steps.count + 1))
        for (number, step) in script.steps.enumerated() {
            say(describe(step))
            try play(step)
            pause(milliseconds: Self.drainMilliseconds)
            for load in loads { try load.mark() }
            try watch(loads, until: requests * (number + 2) / (script.steps.count + 1))
            for load in loads { try load.check(members: stage.manifest.members) }
        }
        // Every standing connection is asked once more, after all that has happened.
        let longestRest = loads.map(\.rest).max() ?? .zero
        pause(milliseconds: UInt32(longestRest / .milliseconds(1)) + Self.watchMilliseconds)
        let rows = try loads.map { try $0.stop() }
        return SoakReport(script: script, rows: rows, seconds: seconds(.now - began))
    }

    /// Over both transports and families; standing connections over TCP, where nothing may ever cut them.
    private func startLoads() throws -> [SoakLoad] {
        var loads: [SoakLoad] = []
        if standing > 0 {
            for address in SoakManifest.addresses {
                let share = max(1, standing / SoakManifest.addresses.count)
                loads.append(try SoakLoad(stage, .tcp, address, .standing, concurrency: share))
            }
            let stand = try eventually(within: .seconds(60), every: .milliseconds(50)) {
                try loads.allSatisfy { try $0.stands() }
            }
            guard stand else {
                let seen = try loads.map { try $0.summary() }.joined(separator: "; ")
                throw SoakFailure(description: "\(standing) connections do not come about: \(seen)")
            }
            say("\(standing) connections stand")
        }
        for transport in [Transport.tcp, .udp] {
            for address in SoakManifest.addresses {
                for kind in [SoakLoad.Kind.fresh, .held] {
                    loads.append(try SoakLoad(stage, transport, address, kind, concurrency: concurrency))
                }
            }
        }
        return loads
    }

    private func play(_ step: SoakScript.Step) throws {
        switch step {
        case .change(let server, let state): try stage.change(server, to: state)
        case .killAgent(let server, let state): try stage.killAgent(changing: server, to: state)
        case .upgradeAgent: try stage.upgradeAgent()
        }
    }

    /// Lets a while pass, and until so many requests have been answered in all.
    private func watch(_ loads: [SoakLoad], until total: Int) throws {
        pause(milliseconds: Self.watchMilliseconds)
        let isReached = try eventually(within: .seconds(120), every: .milliseconds(50)) {
            try loads.reduce(0) { try $0 + $1.answered() } >= total
        }
        guard isReached else { throw SoakFailure(description: "the loads stand still before \(total) requests") }
    }

    private func describe(_ step: SoakScript.Step) -> String {
        switch step {
        case .change(let server, let state): "web-\(server + 1) is \(state.rawValue)"
        case .killAgent(let server, let state):
            "the agent is killed, web-\(server + 1) is \(state.rawValue), the agent starts"
        case .upgradeAgent: "the agent is upgraded"
        }
    }

    private func say(_ text: String) {
        if !isQuiet { print(text) }
    }

    private func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}
