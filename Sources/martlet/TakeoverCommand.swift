// `martlet takeover`.

import ArgumentParser
import Datapath
import Glibc
import Handover
import Inspection

struct TakeoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "takeover",
        abstract: "Remove kube-proxy's rules from this node; no connection ends.",
        discussion: """
            On a node where kube-proxy ran in iptables or nftables mode and a Martlet agent is running and synced. \
            Connections that the kernel translates go on, and their packets are left to it until they end: nftables \
            table 'inet martlet' keeps it translating, and goes with the last of them. Everything new is Martlet's. \
            After 'martlet retreat' it is taken back.

            Removed are: nftables table 'kube-proxy' of both families; in iptables' tables nat, filter and mangle, as \
            iptables-nft has them, the chains that are kube-proxy's, with what leads to them. Everything else stays, \
            kubelet's chains too. Tables of iptables-legacy are not looked at, and named if there are any: \
            'kube-proxy --cleanup' removes its chains from them.

            Stop kube-proxy first: it would put its rules back, so while it runs this is refused. A run that was \
            interrupted is completed by another one.

            EXAMPLES
              martlet takeover
              martlet takeover -o json
            """)

    @OptionGroup var pin: PinFolderOptions
    @OptionGroup var state: StateFolderOptions
    @OptionGroup var format: OutputOptions

    func run() throws {
        guard try isSynced() else {
            Console.diagnose(
                "no agent is running and synced on \(pin.folder.path): nobody would serve what kube-proxy's rules serve; "
                    + "see 'martlet status'")
            throw ExitCode(Launcher.Status.failed)
        }
        if let proxy = RunningProxy.find() {
            Console.diagnose("kube-proxy is running (pid \(proxy)) and would put its rules back; stop it first")
            throw ExitCode(Launcher.Status.failed)
        }
        let page = HandoverPage(try Handover(of: pin.folder).takeOver())
        switch format.output {
        case .table: try Console.show(page.text)
        case .json: try Console.show(JSONText.encode(page))
        }
    }

    /// An agent writes its state a second after it has changed.
    private func isSynced() throws -> Bool {
        for attempt in 0..<Self.attempts {
            if attempt > 0 { usleep(200_000) }
            guard try pin.folder.isHeldByAgent() else { return false }
            if try AgentStatus.read(for: pin.folder, in: state.stateFolder)?.synced == true { return true }
        }
        return false
    }

    private static let attempts = 15
}
