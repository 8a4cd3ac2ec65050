// Reverse state where sockets share a place: with two places for all sockets, nearly every one lives in the overflow.

import BPF
import CDatapathABI
import Datapath
import DatapathImage
import HostCalls
import NetworkTypes
import ProbeProtocol
import Testing
import World

@Suite("Reverse state of sockets that share a place", .timeLimit(.minutes(1)))
struct ConnectionTableTests {
    private static let frontend = HostCalls.SocketAddress("172.30.0.10", 80)
    private static let backend = HostCalls.SocketAddress("10.0.1.2", 8080)

    /// A node with a server, a client, and a datapath with two places and one service for TCP and UDP.
    private func withCrowdedDatapath(_ body: (Probe, Datapath) throws -> Void) async throws {
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1"])
            let server = try node.addPod("web", addresses: [Self.backend.address])
            let client = try node.addPod("client", addresses: ["10.0.1.3"])
            try server.serve(.tcp, port: Self.backend.port)
            try server.serve(.udp, port: Self.backend.port)
            let folder = PinFolder(path: try world.mountPins() + "/martlet")
            let datapath = try Datapath(
                installing: DatapathSettings(
                    pinFolder: folder, cgroup: node.group.path, sizes: MapSizes(connections: 2), hostNamespaceCookie: 1)
            )
            try publish(on: datapath)
            try body(client, datapath)
        }
    }

    private func publish(on datapath: Datapath) throws {
        guard let virtual = IPAddress(Self.frontend.address), let real = IPAddress(Self.backend.address) else { return }
        let place = AddressAndPort(address: real, port: Self.backend.port)
        try datapath.writeBackends([.init(id: 1, record: BackendRecord(place, protocol: .tcp, weight: 1))])
        var slots = SlotWrites()
        slots.append([1], at: 0)
        try datapath.writeSlots(slots)
        let choice = dp_choice(
            set_word: 0, set_count: 1, table_word: 0, table_slots: 0, table_width: 0,
            action: UInt8(DP_ACTION_FORWARD.rawValue), pad: 0)
        for protocolKind in [TransportProtocol.tcp, .udp] {
            let key = FrontendKey(AddressAndPort(address: virtual, port: Self.frontend.port), protocol: protocolKind)
            let kind = UInt8(DP_FRONTEND_CLUSTER_IP.rawValue)
            let record = dp_frontend(
                service_id: 1, affinity_timeout_s: 0, flags: 0, kind: kind, pad: 0, external: choice, internal: choice,
                previous: dp_choice())
            try datapath.updateFrontends([.init(key: key, record: FrontendRecord(record))])
        }
    }

    /// How many sockets' states are said to be in other maps than the places.
    private func elsewhere(_ datapath: Datapath) throws -> Int {
        let places = try MappedArray<dp_connection>(datapath.maps.connections.places, access: .readOnly)
        return (0..<places.count).reduce(0) { $0 + Int(places.read($1).elsewhere) }
    }

    @Test(
        "each socket keeps its own frontend, and nothing is left when all are closed", arguments: [Transport.tcp, .udp])
    func overflow(_ transport: Transport) async throws {
        try await withCrowdedDatapath { client, datapath in
            let sockets = try (0..<20).map { _ in
                try client.connect(transport, Self.frontend.address, Self.frontend.port)
            }
            #expect(try datapath.maps.connections.count() == 20)
            #expect(try elsewhere(datapath) >= 18)
            for socket in sockets { #expect(try socket.peer() == Self.frontend) }
            for socket in sockets.prefix(10) { try socket.close() }
            #expect(try datapath.maps.connections.count() == 10)
            for socket in sockets.dropFirst(10) { #expect(try socket.peer() == Self.frontend) }
            for socket in sockets.dropFirst(10) { try socket.close() }
            #expect(try datapath.maps.connections.count() == 0)
            #expect(try elsewhere(datapath) == 0)
        }
    }

    @Test("a socket that goes elsewhere loses its state, wherever that is")
    func reconnected() async throws {
        try await withCrowdedDatapath { client, datapath in
            let sockets = try (0..<10).map { _ in try client.connect(.udp, Self.frontend.address, Self.frontend.port) }
            for socket in sockets { try socket.reconnect(to: Self.backend) }
            for socket in sockets { #expect(try socket.peer() == Self.backend) }
            #expect(try datapath.maps.connections.count() == 0)
            #expect(try elsewhere(datapath) == 0)
        }
    }

    @Test("unconnected sockets see their replies come from the frontend, beside connected ones in the same place")
    func pages() async throws {
        try await withCrowdedDatapath { client, datapath in
            let connected = try (0..<4).map { _ in try client.connect(.udp, Self.frontend.address, Self.frontend.port) }
            let sockets = try (0..<8).map { _ in try client.openDatagram(.v4) }
            for socket in sockets {
                try socket.send(to: Self.frontend)
                #expect(try socket.receive().source == Self.frontend)
            }
            #expect(try datapath.maps.udpPages.count() == 8)
            for socket in connected + sockets { try socket.close() }
            #expect(try datapath.maps.udpPages.count() == 0)
            #expect(try elsewhere(datapath) == 0)
        }
    }

    @Test(
        "the places are the greatest power of two that fits", arguments: [(1, 0), (2, 1), (3, 1), (64, 63), (100, 63)])
    func mask(_ places: UInt32, _ mask: UInt32) {
        #expect(ConnectionTable.mask(places: places) == mask)
    }
}
