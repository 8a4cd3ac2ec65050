// `martlet capture`.

import Agent
import ArgumentParser
import Datapath
import Inspection
import SystemCalls

struct CaptureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture",
        abstract: "Capture packets that the packet hooks handle, with what became of them, as pcapng.",
        discussion: """
            Shows also what XDP sends on, which tcpdump and other readers of devices never see. Each packet is written as \
            it came in and, unless it was dropped, as it went out; the comment says what became of it: outcome, end \
            (passed, sent or dropped), service and backend. There is an interface for each device and hook. Packets that \
            are none of a service's, and those of sockets of this node, are not captured.

            What TC sends on gets its link-layer header from the kernel later: there it is still that of the packet that \
            came in. Checksums of packets that this machine itself has sent may be unfinished at TC.

            Costs nothing while it does not run. There can be one capture for a pin folder at a time; a monitor may run \
            beside it. At most --rate packets for each CPU and hook are captured in a second; what is lost is reported as \
            it happens and at the end, on standard error. It ends with SIGINT, SIGTERM, after --count packets or after \
            --duration, with exit status 0. The file is its owner's alone; '-' is standard output.

            EXAMPLES
              martlet capture --write web.pcapng --service default/web --duration 10s
              martlet capture --write drops.pcapng --drops
              martlet capture --write - --sample 100 | tshark -r -
            """)

    @OptionGroup var pin: PinFolderOptions

    @Option(
        name: [.short, .long], help: ArgumentHelp("The file to write; '-' for standard output.", valueName: "file"))
    var write: String

    @Option(
        help: ArgumentHelp("Only packets of this service; may be given several times.", valueName: "ns/name[:port]"))
    var service: [String] = []

    @Flag(help: "Only packets that are refused or dropped.")
    var drops = false

    @Option(help: ArgumentHelp("Only packets with this outcome; may be given several times.", valueName: "name"))
    var outcome: [Outcome] = []

    @Option(help: ArgumentHelp("Capture one of so many packets.", valueName: "packets"))
    var sample: UInt32 = 1

    @Option(
        help: ArgumentHelp(
            "The most of each packet, from the link-layer header on; at most \(CaptureRequest.snapBytesMax).",
            valueName: "bytes"))
    var snapLength = CaptureRequest.snapBytesMax

    @Option(help: ArgumentHelp("The most packets for each CPU and hook in a second.", valueName: "packets"))
    var rate: UInt32 = 1000

    @Option(help: ArgumentHelp("Stop after so many packets.", valueName: "packets"))
    var count: Int?

    @Option(help: ArgumentHelp("Stop after this time: 500ms, 10s, 5m or 1h.", valueName: "time"))
    var duration: TimeSpan?

    func validate() throws {
        guard !write.isEmpty else { throw ValidationError("--write is empty; it must name a file, or be '-'.") }
        guard rate > 0 else { throw ValidationError("--rate must be at least 1.") }
        guard sample > 0 else { throw ValidationError("--sample must be at least 1.") }
        guard count ?? 1 > 0 else { throw ValidationError("--count must be at least 1.") }
        guard (1...CaptureRequest.snapBytesMax).contains(snapLength) else {
            throw ValidationError("--snap-length must be between 1 and \(CaptureRequest.snapBytesMax).")
        }
        guard !drops || outcome.isEmpty else {
            throw ValidationError("--drops stands for every outcome that refuses or drops; choose it or --outcome.")
        }
        for name in service where name.split(separator: "/", omittingEmptySubsequences: false).count != 2 {
            throw ValidationError("--service takes namespace/name or namespace/name:port, not '\(name)'.")
        }
    }

    func run() throws {
        let signals = StopSignals()
        let capture = Capture(
            folder: pin.folder, services: Set(service),
            request: CaptureRequest(
                outcomes: outcomes, snapBytes: snapLength, oneIn: sample, perSecond: rate),
            count: count, duration: duration?.duration, application: "martlet \(Version.current)")
        let summary: Capture.Summary
        if write == "-" {
            summary = try run(capture, signals) { bytes in try Console.showAsIs(bytes) }
        } else {
            // Whether there is a datapath at all is found out before a file is emptied.
            _ = try DatapathMaps.open(pin.folder)
            let file = try OutputFile(write)
            summary = try run(capture, signals) { bytes in try file.write(bytes) }
        }
        let losses = summary.lost == 0 ? "" : ", \(summary.lost) lost in all"
        Console.diagnose("\(summary.captured) packets captured\(losses)")
    }

    private func run(
        _ capture: Capture, _ signals: borrowing StopSignals, _ write: ([UInt8]) throws -> Void
    ) throws -> Capture.Summary {
        try capture.run(shouldStop: { signals.isRequested }, write: write) { lost in
            Console.diagnose("\(lost) packets lost; --sample, --service or a higher --rate may help")
        }
    }

    private var outcomes: Set<Outcome> {
        if drops { return Set(Outcome.allCases.filter { $0.effect == .refused || $0.effect == .dropped }) }
        return outcome.isEmpty ? Set(Outcome.allCases) : Set(outcome)
    }
}
