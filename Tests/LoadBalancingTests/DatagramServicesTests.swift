// Which UDP flows of the kernel's connection tracking are stale.

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite("Stale UDP flows")
struct DatagramServicesTests {
    private static func place(_ text: String) -> AddressAndPort { AddressAndPort(text)! }

    /// dns/UDP at 10.96.0.10:53, at the ExternalIP 192.0.2.1:53 and at node port 30053; with two endpoints that serve.
    private static func port(
        serving: [String] = ["10.0.1.1:5353", "10.0.1.2:5353"], protocol protocolKind: TransportProtocol = .udp
    ) -> ServicePortPlan {
        let frontends: [(FrontendPlan.Kind, String)] = [
            (.clusterIP, "10.96.0.10:53"), (.nodePort, "192.168.0.1:30053"), (.externalIP, "192.0.2.1:53"),
        ]
        return ServicePortPlan(
            name: ServicePortName(
                service: ObjectName(namespace: "kube-system", name: "dns"), portName: "dns", protocol: protocolKind),
            port: 53,
            families: [
                FamilyPlan(
                    family: .ipv4, serving: serving.map(place),
                    frontends: frontends.map { kind, address in
                        FrontendPlan(
                            kind: kind, address: place(address), externalTo: .cluster, internalTo: .cluster)
                    })
            ])
    }

    @Test(
        "CT-3, CT-4: flows to a service that no serving endpoint answers are stale, and no others",
        arguments: [
            // Dialled, answering, stale.
            ("10.96.0.10:53", "10.0.1.9:5353", true), ("192.0.2.1:53", "10.0.1.9:5353", true),
            ("192.168.0.1:30053", "10.0.1.9:5353", true),
            // Another port of an endpoint is another endpoint.
            ("10.96.0.10:53", "10.0.1.1:53", true),
            // Never translated.
            ("10.96.0.10:53", "10.96.0.10:53", true), ("192.168.0.1:30053", "192.168.0.1:30053", true),
            // A node port at any address.
            ("192.168.77.7:30053", "10.0.1.9:5353", true),
            ("10.96.0.10:53", "10.0.1.1:5353", false), ("192.0.2.1:53", "10.0.1.2:5353", false),
            ("192.168.77.7:30053", "10.0.1.1:5353", false),
            // Other ports, addresses and families.
            ("10.96.0.10:54", "10.0.1.9:5353", false), ("10.96.0.11:53", "10.0.1.9:5353", false),
            ("192.0.2.1:30054", "10.0.1.9:5353", false), ("[fd00::1]:30053", "[fd00::9]:5353", false),
        ])
    func stale(_ dialled: String, _ answering: String, _ isStale: Bool) {
        let services = DatagramServices([Self.port()])
        #expect(services.isStale(dialled: Self.place(dialled), answering: Self.place(answering)) == isStale)
    }

    @Test("CT-4: everything of a service without a serving endpoint is kept, and of other protocols")
    func kept() {
        for port in [Self.port(serving: []), Self.port(protocol: .tcp), Self.port(protocol: .sctp)] {
            let services = DatagramServices([port])
            #expect(services.isEmpty)
            #expect(
                !services.isStale(dialled: Self.place("10.96.0.10:53"), answering: Self.place("10.0.1.9:5353")))
        }
    }
}
