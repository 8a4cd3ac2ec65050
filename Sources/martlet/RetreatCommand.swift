// `martlet retreat`.

import ArgumentParser
import Datapath
import Handover
import Inspection

struct RetreatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retreat",
        abstract: "Leave everything new to kube-proxy; no connection ends.",
        discussion: """
            On a node where kube-proxy runs again and has its rules in place. From one moment on, new connections and \
            datagrams of new flows are left to the kernel and so to kube-proxy. Sockets that Martlet has connected go \
            on by themselves; flows of packets that it translates go on by its hooks, which stay until 'martlet \
            cleanup'. How many there are left is in 'martlet status', and which in 'martlet flows'.

            The agent may be running or not. It stays that way over a restart of it; 'martlet takeover' takes it back.

            EXAMPLES
              martlet retreat
              martlet retreat --force      # kube-proxy's rules are not there, and new connections find nobody
            """)

    @OptionGroup var pin: PinFolderOptions
    @OptionGroup var format: OutputOptions

    @Flag(help: "Also while no rules of kube-proxy's are found.")
    var force = false

    func run() throws {
        guard try force || KubeProxyRules.find().translate else {
            Console.diagnose(
                "no rules of kube-proxy's are on this node: nobody would serve new connections. Start kube-proxy first, "
                    + "or give --force")
            throw ExitCode(Launcher.Status.failed)
        }
        let page = RetreatPage(try Handover(of: pin.folder).retreat())
        switch format.output {
        case .table: try Console.show(page.text)
        case .json: try Console.show(JSONText.encode(page))
        }
    }
}
