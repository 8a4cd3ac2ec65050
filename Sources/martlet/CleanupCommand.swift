// `martlet cleanup`.

import ArgumentParser
import Datapath
import Inspection

struct CleanupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cleanup",
        abstract: "Detach the datapath and remove everything that is pinned.",
        discussion: """
            Takes the datapath of one pin folder down: links, maps, the folder, the agent's state file, and \
            the ports that it has had reserved. What \
            translates (connect, sendmsg) goes before what translates back. Open connections stay with their backends; \
            new ones are no longer translated. Counters and sizes are lost with the maps.

            Refused while an agent runs, which would put everything back; stop it first, or give --force.

            What was removed is listed on standard output; a second run finds nothing and succeeds. Exit status 1 when \
            something could not be removed.

            EXAMPLES
              martlet cleanup
              martlet cleanup --pin-folder /sys/fs/bpf/other --force
            """)

    @OptionGroup var pin: PinFolderOptions
    @OptionGroup var state: StateFolderOptions
    @OptionGroup var format: OutputOptions

    @Flag(help: "Also while an agent is running.")
    var force = false

    func run() throws {
        let cleanup = try perform()
        switch format.output {
        case .table: try Console.show(cleanup.text(for: pin.folder))
        case .json: try Console.show(JSONText.encode(cleanup))
        }
        for failure in cleanup.failures { Console.diagnose("could not remove \(failure)") }
        if !cleanup.foreign.isEmpty {
            Console.diagnose("left \(pin.folder.path), which holds also \(cleanup.foreign.joined(separator: ", "))")
        }
        guard cleanup.failures.isEmpty else { throw ExitCode(Launcher.Status.failed) }
    }

    private func perform() throws -> Cleanup {
        do {
            return try Cleanup.perform(pin.folder, force: force, stateFolder: state.stateFolder)
        } catch DatapathError.agentIsRunning(let folder) {
            Console.diagnose(
                "an agent is using \(folder) and would put everything back; stop it first, or give --force")
            throw ExitCode(Launcher.Status.failed)
        }
    }
}
