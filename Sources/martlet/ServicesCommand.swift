// `martlet services`.

import ArgumentParser
import Inspection

struct ServicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "services",
        abstract: "List the service ports that are programmed.",
        discussion: """
            Reads the pinned maps, so it answers with the agent down as well. Rows are ordered by namespace, name and \
            port.

              SERVICE      namespace/name:port; what 'monitor --service' takes
              FRONTENDS    the first addresses that lead to it; JSON has all
              INTERNAL     backends that processes and pods of this node may get
              EXTERNAL     backends that everybody else may get
              AFFINITY     how long a client stays with its backend
              ALGORITHM    random, or maglev (hash-based)
              CONNECTIONS  TCP and UDP connects, new UDP peers, and new flows of packets, so far
              REFUSED      connections refused or dropped so far
              PACKETS      packets of clients at the packet hooks; not those of sockets of this node
              BYTES        their bytes, from the IP header on

            A service port without any frontend is not listed, and an empty list prints nothing.

            EXAMPLES
              martlet services
              martlet services -q
              martlet services -o json --pin-folder /sys/fs/bpf/other
            """)

    @OptionGroup var pin: PinFolderOptions
    @OptionGroup var list: ListOptions

    func run() throws {
        try list.show(ServiceListing(pin.snapshot()))
    }
}
