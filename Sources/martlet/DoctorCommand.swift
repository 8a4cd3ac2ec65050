// `martlet doctor`.

import ArgumentParser
import Inspection

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Find out what this kernel and node can do, what is missing, and what conflicts.",
        discussion: """
            Features are tested by using them: each program is loaded, each kind of map is made, and connections over \
            loopback are translated by the real programs in a cgroup of this process's own. Packet programs are attached \
            to a device in a network namespace of their own. Nothing is pinned, no packet leaves the machine, and a datapath that is installed is left alone. Takes a few seconds.

            Each line says ok, degraded or missing, what was tried and what came of it; where something is lost, the \
            next line says what. Works without privileges as well, and then says which are lacking.

            Not looked at: rules in nftables and iptables, and programs at cgroups below the one that is served.

            Exit status: 1 when something essential does not work.

            EXAMPLES
              martlet doctor
              martlet doctor --cgroup /sys/fs/cgroup/kubepods.slice
              martlet doctor -o json
            """)

    @OptionGroup var pin: PinFolderOptions
    @OptionGroup var format: OutputOptions

    @Option(
        help: ArgumentHelp("The cgroup2 directory to be served. Default: the root of cgroup2.", valueName: "directory"))
    var cgroup: String?

    func run() throws {
        // Interrupted half-way, it would leave its cgroup behind.
        let signals = StopSignals()
        let diagnosis = Doctor(folder: pin.folder, cgroup: cgroup).examine()
        switch format.output {
        case .table: try Console.show(diagnosis.text)
        case .json: try Console.show(JSONText.encode(diagnosis))
        }
        guard diagnosis.canRun, !signals.isRequested else { throw ExitCode(Launcher.Status.failed) }
    }
}
