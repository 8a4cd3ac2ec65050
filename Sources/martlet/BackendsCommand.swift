// `martlet backends`.

import ArgumentParser
import Inspection

struct BackendsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backends",
        abstract: "List the backends that traffic is sent to.",
        discussion: """
            Reads the pinned maps, so it answers with the agent down as well. Rows are ordered by address, port and \
            protocol. A backend is kept once, however many services use it.

              BACKEND   address and port; --quiet prints them with the protocol
              ID        its place in the map, which events and affinity records refer to
              WEIGHT    its share among the backends of a set
              SERVICES  whose sets name it; none when it is about to be forgotten

            An empty list prints nothing.

            EXAMPLES
              martlet backends
              martlet backends -o json
            """)

    @OptionGroup var pin: PinFolderOptions
    @OptionGroup var list: ListOptions

    func run() throws {
        try list.show(BackendListing(pin.snapshot()))
    }
}
