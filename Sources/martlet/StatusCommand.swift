// `martlet status`.

import ArgumentParser
import Inspection

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the state of the datapath and of its agent on one page.",
        discussion: """
            Shows what is pinned, whether an agent is running, what that agent could not program and what was wrong \
            with its input, every socket hook with its link and program, every device with what is attached to it and \
            why something is not, every map with its use, size and memory, and how often each outcome occurred.

              LEADS    out of the node, or in to pods and machines on it
              XDP      native (in the driver), or generic (behind it)
              INGRESS  tcx, or clsact; EGRESS likewise

            Whether an agent is running is found out by trying its lock, not by its process number. What an agent says \
            about itself comes from its state file and is shown after its end as well.

            A folder without a datapath is an answer too: the exit status is 1 only when the folder cannot be read. \
            Scripts look at "installed", "complete" and "agent" in JSON.

            EXAMPLES
              martlet status
              martlet status -o json
            """)

    @OptionGroup var pin: PinFolderOptions
    @OptionGroup var state: StateFolderOptions
    @OptionGroup var format: OutputOptions

    func run() throws {
        let report = try StatusReport.read(pin.folder, stateFolder: state.stateFolder)
        switch format.output {
        case .table: try Console.show(StatusPage(report).text)
        case .json: try Console.show(JSONText.encode(report))
        }
    }
}
