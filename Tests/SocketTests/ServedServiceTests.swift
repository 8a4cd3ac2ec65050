// Which services and addresses are ours at all, live: an address of somebody else is left alone, so that whoever has it
// answers, and one that becomes ours is served as all others are.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Services that are not ours", .serialized, .cluster(), .timeLimit(.minutes(2)))
struct ServedServiceTests {
    /// Who answers on some kinds of frontend, all together.
    private static func names(
        _ cluster: Cluster, _ service: ServiceObject, _ dial: Dial, _ kinds: [FrontendKind] = FrontendKind.allCases,
        onNode: Bool
    ) throws -> Set<String> {
        try kinds.reduce(into: []) { names, kind in
            let frontend = service.frontend(kind, dial, on: cluster.node)
            if onNode {
                names.formUnion(try cluster.answersOnNode(dial, at: frontend))
            } else {
                let answers = try cluster.client.ask(dial, frontend, count: 30)
                names.formUnion(answers.names.union(answers.errors.keys))
            }
        }
    }

    /// A service that is not ours, becomes ours, and stops being so.
    private static func takeTurns(
        _ dial: Dial, _ makeForeign: @Sendable (inout ServiceObject) -> Void
    ) throws {
        try withCluster { cluster in
            let ours = cluster.makeService(nodePort: true, external: true)
            var foreign = ours
            makeForeign(&foreign)
            let everybody: Set = ["web-1", "web-2", "web-3"]
            try cluster.publish(foreign, cluster.endpoints)
            #expect(try names(cluster, ours, dial, onNode: true) == ["untouched"])
            try cluster.publish(ours, cluster.endpoints)
            #expect(try names(cluster, ours, dial, onNode: false) == everybody)
            let open = try cluster.client.connect(dial, ours.frontend(dial, on: cluster.node))
            let server = try open.request().server
            try cluster.publish(foreign, cluster.endpoints)
            #expect(try names(cluster, ours, dial, onNode: true) == ["untouched"])
            #expect(try open.request().server == server)
        }
    }

    @Test(
        "a headless service or ExternalName is not served on any address, from the moment on that it is one (SVC-7)",
        arguments: ServiceObject.Form.allCases.filter { $0 != .usual }, Dial.plain)
    func unservedForms(_ form: ServiceObject.Form, _ dial: Dial) throws {
        try Self.takeTurns(dial) { $0.form = form }
    }

    @Test(
        "a service with another proxy's label is left to it, from the moment on that it has the label (SVC-9)",
        arguments: ["cilium", ""], Dial.plain)
    func foreignLabel(_ value: String, _ dial: Dial) throws {
        try Self.takeTurns(dial) { $0.labels["service.kubernetes.io/service-proxy-name"] = value }
    }

    @Test(
        "a load-balancer address of ipMode Proxy is left to the load balancer, one of VIP is served (SVC-6)",
        arguments: Dial.every)
    func ipMode(_ dial: Dial) throws {
        try withCluster { cluster in
            var service = cluster.makeService(nodePort: true, external: true)
            for mode in ["Proxy", "VIP", "Proxy"] {
                service.ipMode = mode
                try cluster.publish(service, cluster.endpoints)
                let isOurs = mode == "VIP"
                let expected: Set = isOurs ? ["web-1", "web-2", "web-3"] : ["untouched"]
                #expect(try Self.names(cluster, service, dial, [.loadBalancer], onNode: !isOurs) == expected, "\(mode)")
                let others = try Self.names(
                    cluster, service, dial, [.clusterIP, .nodePort, .externalIP], onNode: false)
                #expect(others == ["web-1", "web-2", "web-3"])
            }
        }
    }
}

@Suite(
    "Without ExternalIPs", .serialized, .cluster(.init(configuration: ["allowServiceExternalIPs: false"])),
    .timeLimit(.minutes(1)))
struct NoExternalIPTests {
    @Test(
        "with the gate off an ExternalIP is left alone, every other frontend is served (SVC-11)", arguments: Dial.every)
    func externalIPs(_ dial: Dial) throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true, external: true)
            try cluster.publish(service, cluster.endpoints)
            let externalIP = service.frontend(.externalIP, dial, on: cluster.node)
            #expect(try cluster.answersOnNode(dial, at: externalIP) == ["untouched"])
            for kind in [FrontendKind.clusterIP, .nodePort, .loadBalancer] {
                let answers = try cluster.client.ask(dial, service.frontend(kind, dial, on: cluster.node), count: 30)
                #expect(answers.names == ["web-1", "web-2", "web-3"], "\(kind) \(answers)")
            }
        }
    }
}
