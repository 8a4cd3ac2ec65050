// `martlet-bench request`.

import ArgumentParser

struct RequestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request",
        abstract: "Connect, one request, close: through a ClusterIP against straight to the backend.",
        discussion: """
            From a client pod to a server pod, one request after the other, 64 bytes each way. Client and server take turns \
            on one thread, so that no scheduler's delay hides what is compared. Every row is timed in every round; "rate" \
            is the median over rounds of the rate against "straight to the backend, no hook" of the same round, where a \
            round's rate comes from the median of its requests.

            EXAMPLES
              martlet-bench request
              martlet-bench request --rounds 2000 --json
            """)

    @Option(help: "How often each row is timed.")
    var rounds = 500

    @Option(help: "Requests for each row and round; their median is the round's figure.")
    var requests = 40

    @Option(help: "Services in the maps of the larger datapath, at most 16384.")
    var services = 10_000

    @Option(help: "The processor of client and server.")
    var processor = 1

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard rounds > 0, requests > 0, (2...16384).contains(services) else {
            throw ValidationError("--rounds and --requests must be positive, --services between 2 and 16384")
        }
    }

    func run() async throws {
        let bench = RequestBench(rounds: rounds, requests: requests, services: services, processor: processor)
        let report = try await bench.run()
        try output.print(report, text: report.text)
    }
}
