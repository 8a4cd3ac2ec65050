// Where frames go in the rate benchmark: a client's and a backend's namespace, each on a cable of its own to the node. The
// addresses of flows are PacketPlace's, behind the ends of the cables.
//
//   client: eth0 --- (veth) --- client [node] backend --- (veth) --- eth0 :backend

enum RatePlace {
    static let client = "client"
    static let backend = "backend"
    static let clientAddresses = ["192.168.51.2", "fd51::2"]
    static let backendAddresses = ["192.168.52.2", "fd52::2"]

    /// All that the node must know to find the way: `ip` commands.
    static let routes =
        side(client, number: 51, networks: ["192.0.2.0/24", "2001:db8:1::/64"])
        + side(backend, number: 52, networks: ["10.128.0.0/16", "fd00:128::/64"])

    private static func side(_ device: String, number: Int, networks: [String]) -> [String] {
        let ends = ["192.168.\(number).2", "fd\(number)::2"]
        return ["addr add 192.168.\(number).1/24 dev \(device)", "addr add fd\(number)::1/64 dev \(device) nodad"]
            + ends.map { "neigh replace \($0) lladdr 02:00:00:00:00:fe dev \(device) nud permanent" }
            + zip(networks, ends).map { "route replace \($0) via \($1) dev \(device)" }
    }
}
