// The list of flows, from records written by hand into the real maps.

import BPF
import CDatapathABI
import Datapath
import DatapathImage
import FoundationEssentials
import Glibc
import NetworkTypes
import Testing

@testable import Inspection

@Suite("Flows", .enabled(if: canUseKernel))
struct FlowListingTests {
    private static let second: UInt64 = 1_000_000_000
    private static let now = 1000 * second

    /// A flow as the programs would have written it, with its replies.
    private func add(
        _ client: String, _ frontend: String, _ backend: String, peer: String? = nil,
        _ transport: TransportProtocol = .tcp, service: UInt32 = 2, flags: [dp_flow_flags] = [],
        seen: [dp_flow_flags]? = [], to installation: TestInstallation
    ) throws {
        let maps = try DatapathMaps.open(installation.folder)
        let ends = try [client, frontend, backend, peer ?? client].map { try #require(AddressAndPort($0)) }
        var key = dp_flow_key()
        (key.source, key.source_port_be) = (dp_address(ends[0].address), ends[0].port.bigEndian)
        (key.destination, key.destination_port_be) = (dp_address(ends[1].address), ends[1].port.bigEndian)
        key.protocol = transport.rawValue
        var flow = dp_flow()
        (flow.backend, flow.backend_port_be) = (dp_address(ends[2].address), ends[2].port.bigEndian)
        (flow.source, flow.source_port_be) = (dp_address(ends[3].address), ends[3].port.bigEndian)
        flow.service_id = service
        flow.flags = flags.reduce(0) { $0 | $1.rawValue }
        flow.created_ns = 900 * Self.second
        flow.last_seen_ns = 950 * Self.second
        (flow.packets, flow.bytes) = (7, 700)
        try maps.flows.update(key, flow)
        guard let seen else { return }
        var replyKey = dp_flow_key()
        (replyKey.source, replyKey.source_port_be) = (flow.backend, flow.backend_port_be)
        (replyKey.destination, replyKey.destination_port_be) = (flow.source, flow.source_port_be)
        replyKey.protocol = key.protocol
        var reply = dp_flow_reply()
        reply.flow = key
        reply.seen = (flags + seen).reduce(0) { $0 | $1.rawValue }
        reply.last_seen_ns = 990 * Self.second
        (reply.packets, reply.bytes) = (5, 5000)
        try maps.flowReplies.update(replyKey, reply)
    }

    private func filled() throws -> TestInstallation {
        let installation = try TestInstallation()
        try installation.addService(2, "web", port: "http")
        try installation.addService(3, "dns", protocol: .udp)
        try add(
            "192.0.2.7:40000", "198.51.100.1:80", "10.0.0.1:8080", peer: "10.9.9.9:61000",
            flags: [DP_FLOW_MASQUERADED], seen: [DP_FLOW_ANSWERED], to: installation)
        try add(
            "192.0.2.8:40001", "198.51.100.1:80", "10.0.0.2:8080", flags: [DP_FLOW_FINISHED],
            seen: [DP_FLOW_ANSWERED, DP_FLOW_FINISHED], to: installation)
        try add(
            "192.0.2.8:40002", "198.51.100.1:80", "10.0.0.2:8080", flags: [DP_FLOW_TUNNELLED], seen: nil,
            to: installation)
        try add("[2001:db8::7]:5353", "[2001:db8:f::1]:53", "[fd00::2]:53", .udp, service: 3, to: installation)
        try add(
            "192.0.2.9:1", "198.51.100.2:80", "10.0.0.3:80", service: 9, flags: [DP_FLOW_FROM_TUNNEL],
            seen: [DP_FLOW_RESET], to: installation)
        installation.release()
        return installation
    }

    private func text(
        _ installation: TestInstallation, _ form: FlowListing.Form = .table, _ filter: FlowFilter = FlowFilter(),
        limit: Int? = nil, part: Int = 1024
    ) throws -> String {
        var text = ""
        try FlowListing(filter: filter, limit: limit, part: part)
            .show(DatapathMaps.open(installation.folder), as: form, now_ns: Self.now) { text += $0 }
        return text
    }

    @Test("shows both directions, whom the backend sees, state, way and times, with the agent down")
    func table() throws {
        let lines = try text(filled()).split(separator: "\n").map {
            $0.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
        }
        #expect(
            lines.first
                == "PROTOCOL CLIENT FRONTEND BACKEND PEER SERVICE STATE WAY AGE IDLE PACKETS BYTES REPLIES BYTES")
        #expect(
            lines.dropFirst().sorted() == [
                "TCP 192.0.2.7:40000 198.51.100.1:80 10.0.0.1:8080 10.9.9.9:61000 default/web:http established "
                    + "masqueraded 100s 10s 7 700 5 5000",
                "TCP 192.0.2.8:40001 198.51.100.1:80 10.0.0.2:8080 - default/web:http closing translated 100s 10s 7 700 "
                    + "5 5000",
                "TCP 192.0.2.8:40002 198.51.100.1:80 10.0.0.2:8080 - default/web:http established tunnelled 100s 50s 7 "
                    + "700 0 0",
                "TCP 192.0.2.9:1 198.51.100.2:80 10.0.0.3:80 - id 9 closing from_tunnel 100s 10s 7 700 5 5000",
                "UDP [2001:db8::7]:5353 [2001:db8:f::1]:53 [fd00::2]:53 - default/dns opening translated 100s 10s 7 700 "
                    + "5 5000",
            ])
    }

    private struct Case: Sendable {
        var filter: FlowFilter
        var count: Int
    }

    @Test("shows only what the filters admit, and no more than the limit")
    func filters() throws {
        let installation = try filled()
        func ends(_ text: String) -> [FlowEnd] { [FlowEnd(text)].compactMap(\.self) }
        let cases = [
            Case(filter: FlowFilter(), count: 5),
            Case(filter: FlowFilter(services: ["default/web"]), count: 3),
            Case(filter: FlowFilter(services: ["default/web:http", "default/dns"]), count: 4),
            Case(filter: FlowFilter(services: ["default/web:https"]), count: 0),
            Case(filter: FlowFilter(clients: ends("192.0.2.8")), count: 2),
            Case(filter: FlowFilter(clients: ends("192.0.2.8:40002")), count: 1),
            Case(filter: FlowFilter(clients: ends("192.0.2.0/24")), count: 4),
            Case(filter: FlowFilter(clients: ends("2001:db8::7")), count: 1),
            Case(filter: FlowFilter(backends: ends("10.0.0.2:8080")), count: 2),
            Case(filter: FlowFilter(backends: ends("[fd00::2]:53")), count: 1),
            Case(filter: FlowFilter(clients: ends("192.0.2.7"), backends: ends("10.0.0.2")), count: 0),
        ]
        for given in cases {
            let found = try text(installation, .identifiers, given.filter).split(separator: "\n")
            #expect(found.count == given.count, "\(given.filter): \(found)")
        }
        #expect(try text(installation, .identifiers, limit: 2).split(separator: "\n").count == 2)
        #expect(FlowEnd("somewhere") == nil && FlowEnd("192.0.2.0/33") == nil && FlowEnd("1.2.3.4:99999") == nil)
    }

    @Test("JSON is one array, however many parts it is written in", arguments: [1, 2, 5, 1024])
    func json(part: Int) throws {
        let whole = try text(filled(), .json, part: part)
        let entries = try JSONDecoder().decode([FlowEntry].self, from: Data(whole.utf8))
        #expect(entries.count == 5 && Set(entries.map(\.client)).count == 5)
        #expect(try JSONText.encode(entries) == whole)
        let unnamed = try #require(entries.first { $0.serviceID == 9 })
        #expect(unnamed.service == nil && whole.contains("\"service\" : null"))
        #expect(unnamed.fromBackend == FlowEntry.Traffic(packets: 5, bytes: 5000))
    }

    @Test("an empty list prints nothing, and an empty array in JSON")
    func empty() throws {
        let installation = try TestInstallation()
        #expect(try text(installation).isEmpty)
        #expect(try text(installation, .identifiers).isEmpty)
        #expect(try text(installation, .json) == "[\n\n]\n")
    }
}
