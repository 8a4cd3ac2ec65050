// Which events a filter lets through. No kernel.

import Datapath
import Inspection
import NetworkTypes
import ServiceModel
import Testing

@Suite("Filter of the monitor")
struct MonitorFilterTests {
    private static let web = ServicePortName(
        service: ObjectName(namespace: "default", name: "web"), portName: "http", protocol: .tcp)

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let filter: Monitor.Filter
        var outcome: Outcome? = .noEndpoints
        var service: ServicePortName? = MonitorFilterTests.web
        let admitted: Bool
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "an empty filter admits everything", filter: .init(), admitted: true),
        Case(name: "also what this build does not know", filter: .init(), outcome: nil, service: nil, admitted: true),
        Case(name: "the service port", filter: .init(services: ["default/web:http"]), admitted: true),
        Case(name: "the service with all its ports", filter: .init(services: ["default/web"]), admitted: true),
        Case(name: "another port", filter: .init(services: ["default/web:https"]), admitted: false),
        Case(name: "a service that begins alike", filter: .init(services: ["default/we"]), admitted: false),
        Case(name: "no service at all", filter: .init(services: ["default/web"]), service: nil, admitted: false),
        Case(name: "one of the outcomes", filter: .init(outcomes: [.forwarded, .noEndpoints]), admitted: true),
        Case(name: "another outcome", filter: .init(outcomes: [.forwarded]), admitted: false),
        Case(name: "an unknown outcome", filter: .init(outcomes: [.forwarded]), outcome: nil, admitted: false),
        Case(
            name: "both must match", filter: .init(services: ["default/web"], outcomes: [.forwarded]), admitted: false),
    ]

    @Test("an event is shown when service and outcome are among those asked for", arguments: cases)
    func admits(_ example: Case) {
        #expect(example.filter.admits(example.outcome, service: example.service) == example.admitted)
    }

    struct PacketCase: Sendable, CustomTestStringConvertible {
        let name: String
        let filter: Monitor.Filter
        var hook: DatapathEvent.Hook? = .tcIngress
        var source: String? = "192.0.2.7"
        var destination = "198.51.100.1"
        var device: String? = "eth0"
        let admitted: Bool
        var testDescription: String { name }
    }

    private static let client = [CIDR("192.0.2.0/24")].compactMap(\.self)

    static let packets: [PacketCase] = [
        PacketCase(name: "an empty filter admits every packet", filter: .init(), admitted: true),
        PacketCase(name: "the hook", filter: .init(hooks: [.xdp, .tcIngress]), admitted: true),
        PacketCase(name: "another hook", filter: .init(hooks: [.xdp]), admitted: false),
        PacketCase(name: "an unknown hook", filter: .init(hooks: [.xdp]), hook: nil, admitted: false),
        PacketCase(name: "the client", filter: .init(clients: client), admitted: true),
        PacketCase(name: "another client", filter: .init(clients: client), source: "192.0.3.7", admitted: false),
        PacketCase(
            name: "a reply to the client", filter: .init(clients: client), source: "10.0.0.1",
            destination: "192.0.2.7", admitted: true),
        PacketCase(
            name: "a call has no client", filter: .init(clients: client), hook: .connect, source: nil,
            destination: "192.0.2.7", device: nil, admitted: false),
        PacketCase(name: "the device", filter: .init(devices: ["eth0"]), admitted: true),
        PacketCase(name: "another device", filter: .init(devices: ["eth0"]), device: "eth1", admitted: false),
        PacketCase(name: "an unknown device", filter: .init(devices: ["eth0"]), device: nil, admitted: false),
    ]

    @Test("a packet is shown when hook, client and device are among those asked for", arguments: packets)
    func admitsPackets(_ example: PacketCase) throws {
        let source = try example.source.map { try #require(IPAddress($0)) }
        let destination = try #require(IPAddress(example.destination))
        #expect(
            example.filter.admits(example.hook, from: source, to: destination, at: example.device) == example.admitted)
    }
}
