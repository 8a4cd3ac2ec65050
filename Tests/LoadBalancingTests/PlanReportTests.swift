// The JSON of `martlet plan -o json`, key by key.

import Foundation
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct PlanReportTests {
    func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    @Test("The plan has exactly the keys of the contract, absent values are null")
    func exact() throws {
        let text = try json(PlanReport(planner([service()], [slice(.ready("10.244.2.1"))])))
        #expect(
            text == """
                {"node":"n1","problems":[],"servicePorts":[{"frontends":[{"address":"172.30.0.1",\
                "externalTo":"cluster","internalTo":"cluster","kind":"ClusterIP","port":80,"sourceRanges":[]}],"healthCheckNodePort":null,\
                "namespace":"default","port":80,"portName":"http","protocol":"TCP","service":"web",\
                "sessionAffinitySeconds":null,"targetSets":{"cluster":["10.244.2.1:8080"],"local":[]},\
                "usesCluster":true,"usesLocal":false}]}
                """)
    }

    @Test("The families of a service port are one entry, target sets in the order of their text")
    func families() throws {
        let service = externalService {
            $0 = DualStackTests.dual
            $0.sessionAffinitySeconds = 60
        }
        let report = PlanReport(
            planner(
                [service], [slice(.ready("10.244.1.9", on: "n1"), .ready("10.244.1.10", on: "n1")), DualStackTests.six])
        )
        let port = try #require(report.servicePorts.first)
        #expect(report.servicePorts.count == 1)
        #expect(
            port.targetSets.cluster == [
                "10.244.1.10:8080", "10.244.1.9:8080", "[fd00:244:1::1]:8080", "[fd00:244:2::1]:8080",
            ])
        #expect(port.targetSets.local == ["10.244.1.10:8080", "10.244.1.9:8080", "[fd00:244:1::1]:8080"])
        #expect(port.healthCheckNodePort == 30100 && port.sessionAffinitySeconds == 60)
        #expect(
            port.frontends.map { "\($0.kind) \($0.address)" } == [
                "ClusterIP 172.30.0.1", "ClusterIP fd00:172::1", "NodePort 192.168.0.2", "NodePort 2001:db8::2",
                "ExternalIP 192.0.2.7", "ExternalIP fd00:9::7", "LoadBalancer 1.2.3.4", "LoadBalancer fd00:9::1",
            ])
        #expect(port.frontends[6].sourceRanges == ["203.0.113.0/25"])
        #expect(port.frontends[6].externalTo == "local" && port.frontends[6].internalTo == "cluster")
    }

    @Test("Problems name the object, and lead their sentence with the field")
    func problems() throws {
        let service = externalService {
            $0.externalTrafficPolicy = .local
            $0.healthCheckNodePort = 0
        }
        let problem = try #require(PlanReport(planner([service], [])).problems.first)
        #expect(problem.object == "Service default/web")
        #expect(problem.message.hasPrefix("spec.healthCheckNodePort: A LoadBalancer service"))
    }

    @Test("An explanation has exactly the keys of the contract, absent values are null")
    func explanation() throws {
        let planner = planner([externalService()], [slice(.ready("10.244.2.1"))])
        let text = try json(planner.explain(from: .external("203.0.113.2"), to: "192.168.0.2:30080/TCP"))
        #expect(
            text == """
                {"backends":["10.244.2.1:8080"],"frontend":{"address":"192.168.0.2","externalTo":"cluster",\
                "internalTo":"cluster","kind":"NodePort","port":30080,"sourceRanges":[]},"masquerade":true,\
                "masqueradedBackends":["10.244.2.1:8080"],"outcome":"dnat","path":"tc","reason":"The outside client \
                203.0.113.2 that dials the NodePort of default/web:http is sent to its only endpoint, masqueraded.",\
                "rules":["SVC-3","TP-4","MASQ-4"],"service":"default/web:http"}
                """)
        let missing = try json(planner.explain(from: .pod(nil), to: "8.8.8.8:53/UDP"))
        #expect(missing.hasPrefix(#"{"backends":[],"frontend":null,"masquerade":null,"masqueradedBackends":[],"#))
        #expect(missing.hasSuffix(#""rules":[],"service":null}"#))
    }

    @Test(
        "Masquerade is a truth value, or byBackend, and an explanation reads back from its own text",
        arguments: ["10.244.1.1", "10.244.1.9"])
    func masquerade(source: String) throws {
        let planner = planner([service()], [slice(.ready("10.244.1.1"), .ready("10.244.1.2"))])
        let answer = planner.explain(from: .pod(IPAddress(source)), to: "172.30.0.1:80/TCP")
        let text = try json(answer)
        #expect(text.contains(source == "10.244.1.1" ? #""masquerade":"byBackend""# : #""masquerade":false"#))
        #expect(try JSONDecoder().decode(Explanation.self, from: Data(text.utf8)) == answer)
    }

    struct Source: CustomTestStringConvertible {
        var text: String
        var source: TrafficSource?
        var testDescription: String { text }
    }

    static let sources = [
        Source(text: "pod", source: .pod(nil)), Source(text: "pod:10.0.0.1", source: .pod("10.0.0.1")),
        Source(text: "external:2001:db8::1", source: .external("2001:db8::1")),
        Source(text: "external:[2001:db8::1]", source: .external("2001:db8::1")),
        Source(text: "node:192.168.0.2", source: .node("192.168.0.2")), Source(text: "localhost", source: .localhost),
        Source(text: "localhost:127.0.0.1"), Source(text: "pod:"), Source(text: "client"), Source(text: "pod:x"),
    ]

    @Test("A source is read as KIND or KIND:ADDRESS", arguments: sources)
    func source(_ example: Source) {
        #expect(TrafficSource(example.text) == example.source)
    }

    @Test(
        "A destination is read as ADDRESS:PORT/PROTOCOL",
        arguments: ["10.0.0.1:80/TCP", "[fd00::1]:53/UDP", "10.0.0.1:7/SCTP"])
    func destination(_ text: String) {
        #expect(FrontendAddress(text)?.description == text)
        #expect(FrontendAddress(text.lowercased())?.description == text)
        #expect(FrontendAddress(String(text.prefix { $0 != "/" })) == nil)
        #expect(FrontendAddress(text + "/x") == nil)
    }
}
