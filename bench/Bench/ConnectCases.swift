// The rows of the connect benchmark: who dials what, and what each is compared with.

struct ConnectCases {
    private(set) var all: [DialCase] = []

    /// What every row is compared with: empty programs on the same hooks.
    static func baseline(_ transport: DialTransport) -> String { "\(transport.title): empty programs" }

    init(bare: String, bareAgain: String, empty: String) {
        for transport in DialTransport.connects {
            let direct = { (name: String, group: String, baseline: String?) in
                DialCase(
                    name: "\(transport.title): \(name)", group: group, transport: transport,
                    addresses: transport.directAddresses, port: ServiceFill.backendPort, baseline: baseline)
            }
            all.append(direct("no hook", bare, nil))
            all.append(direct("no hook, once more", bareAgain, "\(transport.title): no hook"))
            all.append(direct("empty programs", empty, "\(transport.title): no hook"))
        }
    }

    /// The rows of one datapath. Without `recordsTCP` only TCP differs.
    mutating func addMartlet(group: String, services: Int, recordsTCP: Bool) {
        for transport in DialTransport.connects where recordsTCP || transport != .udp {
            let add = { (cases: inout [DialCase], name: String, addresses: [String], port: UInt16) in
                let title = "\(transport.title): \(name), \(services == 1 ? "1 service" : "\(services) services")"
                cases.append(
                    DialCase(
                        name: title, group: group, transport: transport, addresses: addresses, port: port,
                        baseline: Self.baseline(transport)))
            }
            let special = [ServiceFill.specialAddress]
            let reverse = recordsTCP ? "with reverse state" : "without reverse state"
            if transport == .unroutedTCP {
                if recordsTCP { add(&all, "miss", transport.directAddresses, ServiceFill.backendPort) }
                add(&all, "hit \(reverse)", special, ServiceFill.unroutedPort)
                continue
            }
            if recordsTCP { add(&all, "miss", transport.directAddresses, ServiceFill.backendPort) }
            add(&all, "hit \(reverse)", [ServiceFill.address(0)], ServiceFill.port)
            guard recordsTCP else { continue }
            add(&all, "hit with affinity", special, ServiceFill.affinityPort)
            add(&all, "hit through Maglev", special, ServiceFill.maglevPort)
            guard services > 1 else { continue }
            add(&all, "hit, all in turn", (0..<services).map { ServiceFill.address($0) }, ServiceFill.port)
        }
    }
}

extension DialTransport {
    var title: String {
        switch self {
        case .udp: "UDP"
        case .tcp: "TCP"
        case .unroutedTCP: "TCP unrouted"
        case .request: "request"
        }
    }

    var directAddresses: [String] {
        switch self {
        case .udp, .tcp, .request: ServiceFill.backendAddresses
        case .unroutedTCP: ServiceFill.unroutedAddresses
        }
    }
}
