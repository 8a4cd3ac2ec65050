// martlet-bench: measures what the design promises, each as a ratio or difference within one run. The figures that were
// seen, and the bars, are in bench/README.md.

import ArgumentParser
import BenchSupport
import FoundationEssentials

@main
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet-bench",
        abstract: "Measures Martlet against its bars, on this machine, in network namespaces and cgroups of its own.",
        discussion: """
            Needs root. Nothing leaves the machine, and everything is removed again.

            EXAMPLES
              martlet-bench connect
              martlet-bench connect --rounds 200 --json
              martlet-bench request
              martlet-bench sync
              martlet-bench packet
              martlet-bench rate
              martlet-bench scale
              martlet-bench churn
            """,
        subcommands: [
            ConnectCommand.self, RequestCommand.self, SyncCommand.self, PacketCommand.self, RateCommand.self,
            ScaleCommand.self, ChurnCommand.self, WorkerCommand.self, PacketWorkerCommand.self, RateWorkerCommand.self,
            ScaleWorkerCommand.self, ChurnWorkerCommand.self,
        ])
}

/// Options that every benchmark has.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON instead of tables.")
    var json = false

    /// Prints a report together with the machine that it is about.
    func print<Report: Encodable>(_ report: Report, text: String) throws {
        let machine = Machine.here(command: CommandLine.arguments)
        guard json else {
            Swift.print(machine.line)
            Swift.print(text)
            return
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let whole = Published(machine: machine, report: report)
        Swift.print(String(decoding: try encoder.encode(whole), as: UTF8.self))
    }

    private struct Published<Report: Encodable>: Encodable {
        let machine: Machine
        let report: Report
    }
}
