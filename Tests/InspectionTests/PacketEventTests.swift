// Events of packets as lines and as JSON, from records as the programs write them. No kernel.

import CDatapathABI
import DatapathImage
import FoundationEssentials
import Inspection
import NetworkTypes
import Testing

@testable import Datapath

@Suite("Events of packets")
struct PacketEventTests {
    private func event(_ hook: UInt32, backend: String? = "10.0.0.1:8080") throws -> DatapathEvent {
        var event = dp_event()
        event.hook = UInt8(hook)
        event.outcome = UInt8(DP_OUTCOME_SENT_ON.rawValue)
        event.protocol = TransportProtocol.tcp.rawValue
        event.interface = 7
        event.service_id = 2
        let client = try #require(AddressAndPort("192.0.2.7:40000"))
        let frontend = try #require(AddressAndPort("198.51.100.1:80"))
        (event.client, event.client_port_be) = (dp_address(client.address), client.port.bigEndian)
        (event.frontend, event.frontend_port_be) = (dp_address(frontend.address), frontend.port.bigEndian)
        if let backend {
            let place = try #require(AddressAndPort(backend))
            (event.backend, event.backend_port_be) = (dp_address(place.address), place.port.bigEndian)
        }
        return DatapathEvent(event)
    }

    @Test("say every outcome in its own words", arguments: Outcome.allCases)
    func outcomes(_ outcome: Outcome) throws {
        var event = dp_event()
        event.outcome = UInt8(outcome.rawValue)
        event.hook = UInt8(DP_HOOK_XDP.rawValue)
        event.interface = 7
        let record = EventRecord(DatapathEvent(event), service: nil, at: Date(timeIntervalSince1970: 0))
        #expect(record.outcome == outcome.name && record.reason == outcome.reason)
        #expect(record.line.contains(" \(outcome.name)/xdp "))
    }

    @Test(
        "name device, client, frontend and backend, and no process",
        arguments: [
            (DP_HOOK_XDP.rawValue, "xdp"), (DP_HOOK_TC_INGRESS.rawValue, "tc_ingress"),
            (DP_HOOK_TC_EGRESS.rawValue, "tc_egress"),
        ])
    func line(hook: UInt32, name: String) throws {
        let date = Date(timeIntervalSince1970: 0)
        let record = EventRecord(try event(hook), service: "default/web", device: "eth0", at: date)
        #expect(
            record.line
                == "\(record.time) sent_on/\(name) eth0 TCP 192.0.2.7:40000 -> 198.51.100.1:80 -> 10.0.0.1:8080 "
                + "default/web")
        #expect(record.process == nil && record.client == "192.0.2.7:40000" && record.interface == 7)
        let json = try JSONText.encodeLine(record)
        #expect(json.contains("\"device\":\"eth0\"") && json.contains("\"process\":null"))
        let nameless = EventRecord(try event(hook, backend: nil), service: nil, at: date)
        #expect(
            nameless.line == "\(nameless.time) sent_on/\(name) device 7 TCP 192.0.2.7:40000 -> 198.51.100.1:80 -")
    }
}
