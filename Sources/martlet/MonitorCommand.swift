// `martlet monitor`.

import ArgumentParser
import Datapath
import Inspection
import NetworkTypes
import Telemetry

struct MonitorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "monitor",
        abstract: "Watch what becomes of connections, as it happens.",
        discussion: """
            Prints one line for each event. Of a call: time (UTC), outcome/hook, process[pid], protocol, what was \
            dialled and the chosen backend, service. Of a packet from outside: time, outcome/hook, device, protocol, \
            source, destination and the chosen backend, service; a reply comes from the backend. With --output json, one JSON object a line. Events are made only while a monitor \
            runs, at most --rate for each CPU and second; what is lost is reported as it happens and at the end, on \
            standard error.

            There can be one monitor for a pin folder at a time: a second one is refused. It ends with SIGINT, \
            SIGTERM, after --count events or after --duration, with exit status 0, and leaves the events switched off.

            Outcomes: \(Outcome.allCases.map(\.name).joined(separator: ", ")).

            EXAMPLES
              martlet monitor
              martlet monitor --service default/web --outcome no_endpoints
              martlet monitor --hook xdp --hook tc_ingress --client 192.0.2.0/24
              martlet monitor --duration 10s -o json
            """)

    @OptionGroup var pin: PinFolderOptions

    @Option(name: [.short, .long], help: "How to print: 'table' for lines of text, 'json' for one object a line.")
    var output = OutputFormat.table

    @Option(help: ArgumentHelp("The most events for each CPU and second.", valueName: "events"))
    var rate: UInt32 = 1000

    @Option(help: ArgumentHelp("Stop after so many events.", valueName: "events"))
    var count: Int?

    @Option(help: ArgumentHelp("Stop after this time: 500ms, 10s, 5m or 1h.", valueName: "time"))
    var duration: TimeSpan?

    @Option(help: ArgumentHelp("Only events of this service; may be given several times.", valueName: "ns/name[:port]"))
    var service: [String] = []

    @Option(help: ArgumentHelp("Only events with this outcome; may be given several times.", valueName: "name"))
    var outcome: [Outcome] = []

    @Option(help: ArgumentHelp("Only events of this hook; may be given several times.", valueName: "name"))
    var hook: [DatapathEvent.Hook] = []

    @Option(
        help: ArgumentHelp(
            "Only packets of this client, and replies to it; may be given several times.", valueName: "address|range"))
    var client: [ClientRange] = []

    @Option(help: ArgumentHelp("Only packets at this device; may be given several times.", valueName: "name"))
    var interface: [String] = []

    func validate() throws {
        guard rate > 0 else { throw ValidationError("--rate must be at least 1.") }
        guard count ?? 1 > 0 else { throw ValidationError("--count must be at least 1.") }
        for name in service where name.split(separator: "/", omittingEmptySubsequences: false).count != 2 {
            throw ValidationError("--service takes namespace/name or namespace/name:port, not '\(name)'.")
        }
    }

    func run() throws {
        let signals = StopSignals()
        let monitor = Monitor(
            folder: pin.folder,
            filter: .init(
                services: Set(service), outcomes: Set(outcome), hooks: Set(hook), clients: client.map(\.range),
                devices: Set(interface)),
            eventsPerSecond: rate, count: count, duration: duration?.duration)
        let summary = try monitor.run(shouldStop: { signals.isRequested }, show: show) { lost in
            Console.diagnose("\(lost) events lost; a higher --rate or a filter on the reader's side may help")
        }
        if summary.lost > 0 { Console.diagnose("\(summary.shown) events shown, \(summary.lost) lost in all") }
    }

    private func show(_ record: EventRecord) throws {
        switch output {
        // Processes choose their own names.
        case .table: try Console.show(record.line.visible() + "\n")
        case .json: try Console.show(JSONText.encodeLine(record))
        }
    }
}

extension Outcome: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public static var allValueStrings: [String] { allCases.map(\.name) }
}

extension DatapathEvent.Hook: ExpressibleByArgument {}

/// One address, or a range of them.
struct ClientRange: ExpressibleByArgument {
    let range: CIDR

    init?(argument: String) {
        guard let range = IPAddress(argument).map({ CIDR($0) }) ?? CIDR(argument) else { return nil }
        self.range = range
    }
}

/// A duration as people write it: a whole number with `ms`, `s`, `m` or `h`.
struct TimeSpan: ExpressibleByArgument {
    let duration: Duration

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), number > 0, number < 1_000_000_000 else { return nil }
        switch argument.dropFirst(digits.count) {
        case "ms": duration = .milliseconds(number)
        case "s": duration = .seconds(number)
        case "m": duration = .seconds(number * 60)
        case "h": duration = .seconds(number * 3600)
        case _: return nil
        }
    }
}
