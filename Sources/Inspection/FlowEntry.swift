// One flow as `martlet flows` shows it, and which flows are shown.

package import Datapath
package import NetworkTypes
package import ServiceModel

package struct FlowEntry: Codable, Hashable, Sendable {
    package struct Traffic: Codable, Hashable, Sendable {
        /// Approximate.
        package var packets: UInt64
        /// From the IP header on.
        package var bytes: UInt64
    }

    package var `protocol`: String
    /// `192.0.2.7:40000`.
    package var client: String
    package var frontend: String
    package var backend: String
    /// Whom the backend sees: the client, or an address of this node.
    package var peer: String
    /// `namespace/name:port`; null when the name is gone.
    @Nullable package var service: String?
    package var serviceID: UInt32
    /// `opening`, `established` or `closing`.
    package var state: String
    /// `translated`, `masqueraded`, `tunnelled` or `from_tunnel`.
    package var way: String
    package var ageSeconds: UInt64
    /// Since the last packet of either direction.
    package var idleSeconds: UInt64
    package var fromClient: Traffic
    /// Zero for tunnelled flows, whose replies do not come by here.
    package var fromBackend: Traffic

    /// `now_ns` is of CLOCK_MONOTONIC.
    package init(_ record: FlowRecord, service: ServicePortName?, now_ns: UInt64) {
        func seconds(since then_ns: UInt64) -> UInt64 { (now_ns - min(then_ns, now_ns)) / 1_000_000_000 }
        `protocol` = protocolName(record.protocolNumber)
        client = record.client.description
        frontend = record.frontend.description
        backend = record.backend.description
        peer = record.peer.description
        _service = Nullable(wrappedValue: service?.description)
        serviceID = record.serviceID
        state = record.state.rawValue
        way = record.way.rawValue
        ageSeconds = seconds(since: record.created_ns)
        idleSeconds = seconds(since: record.lastSeen_ns)
        fromClient = Traffic(packets: record.fromClient.packets, bytes: record.fromClient.bytes)
        fromBackend = Traffic(packets: record.fromBackend.packets, bytes: record.fromBackend.bytes)
    }
}

/// Which flows are of interest; what is empty lets everything through.
package struct FlowFilter: Sendable {
    /// As `namespace/name:port`, or `namespace/name` for all ports of a service.
    package var services: Set<String>
    package var clients: [FlowEnd]
    package var backends: [FlowEnd]

    package init(services: Set<String> = [], clients: [FlowEnd] = [], backends: [FlowEnd] = []) {
        self.services = services
        self.clients = clients
        self.backends = backends
    }

    func admits(_ record: FlowRecord, service: ServicePortName?) -> Bool {
        guard clients.isEmpty || clients.contains(where: { $0.matches(record.client) }) else { return false }
        guard backends.isEmpty || backends.contains(where: { $0.matches(record.backend) }) else { return false }
        guard !services.isEmpty else { return true }
        guard let service else { return false }
        return services.contains(service.description) || services.contains(service.service.description)
    }
}

/// One end of a flow: an address, a range of addresses, or an address with its port.
package enum FlowEnd: Hashable, Sendable {
    case range(CIDR)
    case place(AddressAndPort)

    /// Reads `192.0.2.7`, `192.0.2.0/24`, `192.0.2.7:40000` or `[2001:db8::1]:80`; nil for anything else.
    package init?(_ text: String) {
        if let address = IPAddress(text) {
            self = .range(CIDR(address))
        } else if let range = CIDR(text) {
            self = .range(range)
        } else if let place = AddressAndPort(text) {
            self = .place(place)
        } else {
            return nil
        }
    }

    package func matches(_ end: AddressAndPort) -> Bool {
        switch self {
        case .range(let range): range.contains(end.address)
        case .place(let place): place == end
        }
    }
}
