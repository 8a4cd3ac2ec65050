// What happens during a soak, in order. A server goes as Kubernetes lets pods go: it is terminating first, while it still
// answers; then it is no endpoint any more; later it is ready again.

/// What one endpoint is said to be.
enum EndpointState: String, Sendable {
    case ready
    case terminating
    case removed
}

struct SoakScript: Sendable {
    enum Step: Sendable {
        case change(server: Int, EndpointState)
        /// SIGKILL, one change while nobody is there to see it, start.
        case killAgent(server: Int, EndpointState)
        /// SIGTERM, start of another binary.
        case upgradeAgent
    }

    /// How many servers come and go.
    static let servers = 6

    let steps: [Step]

    /// Kills and the upgrade are spread over the changes; the change of a kill is one of them.
    init(changes: Int, kills: Int) {
        let cycle: [EndpointState] = [.terminating, .removed, .ready]
        var steps: [Step] = []
        for number in 0..<changes {
            // Two servers are never away at once, so that the others carry the load.
            let server = number / cycle.count % Self.servers
            let state = cycle[number % cycle.count]
            let isKill = kills > 0 && (number + 1) * (kills + 1) / (changes + 1) > number * (kills + 1) / (changes + 1)
            steps.append(isKill ? .killAgent(server: server, state) : .change(server: server, state))
            if number == changes / 2 { steps.append(.upgradeAgent) }
        }
        self.steps = steps
    }
}
