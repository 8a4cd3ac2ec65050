// `martlet flows`.

import ArgumentParser
import Datapath
import Inspection

struct FlowsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flows",
        abstract: "List the flows of packets that have a record.",
        discussion: """
            Reads the pinned maps, so it answers with the agent down as well. Rows are in no order. Flows of sockets that \
            a socket hook has sent elsewhere have no record here, nor have DSR flows as long as their slot of the table \
            does not move.

              CLIENT    who began it
              FRONTEND  what was dialled
              BACKEND   where its packets go
              PEER      whom the backend sees, if that is not the client
              STATE     opening (not answered yet), established, or closing
              WAY       translated   with the client's address
                        masqueraded  with an address of this node
                        tunnelled    in a tunnel to the backend's node (DSR)
                        from_tunnel  another node sends them in a tunnel (DSR)
              AGE       since the record was made
              IDLE      since the last packet of either direction
              PACKETS, BYTES  of the client, from the IP header on; then REPLIES and their BYTES

            CLIENT and BACKEND are addresses, ranges, or addresses with a port: 192.0.2.7, 192.0.2.0/24, \
            192.0.2.7:40000, [2001:db8::1]:80. An empty list prints nothing.

            EXAMPLES
              martlet flows --limit 20
              martlet flows --service default/web --client 192.0.2.0/24
              martlet flows --backend 10.0.1.2:8080 -o json
            """)

    @OptionGroup var pin: PinFolderOptions
    @OptionGroup var list: ListOptions

    @Option(help: ArgumentHelp("Only flows of this service; may be given several times.", valueName: "ns/name[:port]"))
    var service: [String] = []

    @Option(help: ArgumentHelp("Only flows of this client; may be given several times.", valueName: "address"))
    var client: [FlowEnd] = []

    @Option(help: ArgumentHelp("Only flows to this backend; may be given several times.", valueName: "address"))
    var backend: [FlowEnd] = []

    @Option(help: ArgumentHelp("At most so many flows, whichever come first.", valueName: "flows"))
    var limit: Int?

    func validate() throws {
        guard limit ?? 1 > 0 else { throw ValidationError("--limit must be at least 1.") }
        for name in service where name.split(separator: "/", omittingEmptySubsequences: false).count != 2 {
            throw ValidationError("--service takes namespace/name or namespace/name:port, not '\(name)'.")
        }
    }

    func run() throws {
        let maps = try DatapathMaps.open(pin.folder)
        let filter = FlowFilter(services: Set(service), clients: client, backends: backend)
        try FlowListing(filter: filter, limit: limit).show(maps, as: form, Console.show)
    }

    private var form: FlowListing.Form {
        if list.quiet { return .identifiers }
        switch list.format.output {
        case .table: return .table
        case .json: return .json
        }
    }
}

extension FlowEnd: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
