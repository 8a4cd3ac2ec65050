// A storm of slice changes at a steady rate, for clients that must keep up.

import APIServerState

extension APIServer {
    /// Turns the readiness of endpoints of the first `services` bulk services, so many times a second, one service after
    /// the other. Late changes are made up for. Returns how many were made; a cancelled storm throws.
    @discardableResult
    package func storm(changesPerSecond: Int, for duration: Duration, services: Int) async throws -> Int {
        let clock = ContinuousClock()
        let start = clock.now
        var made = 0
        while true {
            let elapsed = min(clock.now - start, duration)
            let due = Int((elapsed / .seconds(1)) * Double(changesPerSecond))
            while made < due {
                try await store.flipReadiness(ofService: made % services)
                made += 1
            }
            if elapsed >= duration { return made }
            try await clock.sleep(until: start + .seconds(1) / changesPerSecond * (made + 1))
        }
    }
}
