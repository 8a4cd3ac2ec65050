// `martlet frontends`.

import ArgumentParser
import Inspection

struct FrontendsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "frontends",
        abstract: "List the addresses and ports that clients may dial.",
        discussion: """
            Reads the pinned maps, so it answers with the agent down as well. Rows are in the order in which an \
            address is looked up: exact entries, then the wildcard that answers for an address's unused ports.

              FRONTEND  what 'martlet explain --to' takes; '*' is a wildcard
              KIND      ClusterIP, NodePort, ExternalIP, LoadBalancer, or Wildcard
              INTERNAL  what processes and pods of this node get: 'forward to N' backends, reject, or drop
              EXTERNAL  what everybody else gets
              AFFINITY  how long a client stays with its backend
              FLAGS     maglev         backends are chosen by hash
                        host-only      only for this node's own processes
                        deny-host      source ranges exclude this node's processes
                        deny-pods      source ranges exclude this node's pods
                        masquerade-X   packets of X (host, pods, outside) get an address of this node as source
                        source-ranges  packets are admitted by source ranges
                        dsr            packets from outside go to other nodes in tunnels, replies straight back
                        inside-only    packets from outside are refused

            An empty list prints nothing.

            EXAMPLES
              martlet frontends
              martlet frontends -q | grep UDP
              martlet frontends -o json
            """)

    @OptionGroup var pin: PinFolderOptions
    @OptionGroup var list: ListOptions

    func run() throws {
        try list.show(FrontendListing(pin.snapshot()))
    }
}
