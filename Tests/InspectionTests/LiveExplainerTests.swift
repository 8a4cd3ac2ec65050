// The decision for one connection from records written by hand, step by step as the programs decide it. No kernel.

import CDatapathABI
import Datapath
import DatapathImage
import Inspection
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite("Explaining from the records")
struct LiveExplainerTests {
    private static let web = ServicePortName(
        service: ObjectName(namespace: "default", name: "web"), portName: "http", protocol: .tcp)

    /// Records of a frontend: internal to two backends, external to the first of them, unless the actions differ.
    private static func records(
        _ kind: dp_frontend_kind = DP_FRONTEND_CLUSTER_IP, flags: [dp_frontend_flags] = [],
        internal: dp_action = DP_ACTION_FORWARD, external: dp_action = DP_ACTION_FORWARD, affinity: UInt32 = 0
    ) -> LiveRecords {
        var record = dp_frontend()
        record.service_id = 2
        record.kind = UInt8(kind.rawValue)
        record.flags = UInt16(flags.reduce(0) { $0 | $1.rawValue })
        record.affinity_timeout_s = affinity
        record.`internal`.action = UInt8(`internal`.rawValue)
        record.external.action = UInt8(external.rawValue)
        let backends = ["10.0.1.1:8080", "10.0.1.2:8080"].compactMap { AddressAndPort($0) }
            .map { BackendRecord($0, protocol: .tcp, weight: 1) }
        return LiveRecords(
            exact: FrontendRecord(record), internalSet: `internal` == DP_ACTION_FORWARD ? backends : [],
            externalSet: external == DP_ACTION_FORWARD ? Array(backends.prefix(1)) : [], service: web)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        var from = "pod"
        var to = "10.96.0.1:80/TCP"
        var records = LiveRecords()
        var podsAreLocal = true
        let outcome: Explanation.Outcome
        var backends = 0
        let rules: [String]
        var path = Explanation.Path.socket
        var testDescription: String { name }
    }

    static let forwarding: [Case] = [
        Case(name: "a pod gets the internal set", records: records(), outcome: .dnat, backends: 2, rules: ["SVC-1"]),
        Case(
            name: "a node process gets it too", from: "node", records: records(DP_FRONTEND_NODE_PORT), outcome: .dnat,
            backends: 2, rules: ["SVC-3"]),
        Case(
            name: "a pod that no detector recognises gets the external set", records: records(DP_FRONTEND_EXTERNAL_IP),
            podsAreLocal: false, outcome: .dnat, backends: 1, rules: ["SVC-5", "TP-8"]),
        Case(
            name: "a node process is internal even so", from: "localhost", records: records(), podsAreLocal: false,
            outcome: .dnat, backends: 2, rules: ["SVC-1"]),
        Case(
            name: "affinity is named", records: records(DP_FRONTEND_LOAD_BALANCER, affinity: 60), outcome: .dnat,
            backends: 2, rules: ["SVC-4", "AFF-1"]),
        Case(
            name: "host-only serves the node", from: "node", records: records(flags: [DP_FRONTEND_HOST_ONLY]),
            outcome: .dnat, backends: 2, rules: ["SVC-1"]),
    ]

    static let refusals: [Case] = [
        Case(
            name: "no endpoint anywhere", records: records(internal: DP_ACTION_REJECT), outcome: .reject,
            rules: ["SVC-1", "REJ-1"]),
        Case(
            name: "internal policy Local without local endpoints", records: records(internal: DP_ACTION_DROP),
            outcome: .drop, rules: ["SVC-1", "TP-3"]),
        Case(
            name: "external policy Local without local endpoints, for a pod that is not recognised",
            records: records(DP_FRONTEND_LOAD_BALANCER, external: DP_ACTION_DROP), podsAreLocal: false, outcome: .drop,
            rules: ["SVC-4", "TP-8", "TP-7"]),
        Case(
            name: "source ranges exclude pods", records: records(flags: [DP_FRONTEND_DENY_PODS]), outcome: .drop,
            rules: ["SVC-1", "LBSR-1", "LBSR-3"]),
        Case(
            name: "and not the node", from: "node", records: records(flags: [DP_FRONTEND_DENY_PODS]), outcome: .dnat,
            backends: 2, rules: ["SVC-1"]),
        Case(
            name: "source ranges come before the policy", from: "node",
            records: records(flags: [DP_FRONTEND_DENY_HOST], internal: DP_ACTION_REJECT), outcome: .drop,
            rules: ["SVC-1", "LBSR-1", "LBSR-3"]),
        Case(
            name: "an action of zero is a bad record", records: records(internal: DP_ACTION_INVALID), outcome: .reject,
            rules: ["SVC-1"]),
    ]

    static let misses: [Case] = [
        Case(
            name: "an unused port of a virtual address", records: LiveRecords(hasWildcard: true), outcome: .reject,
            rules: ["SVC-12"]),
        Case(
            name: "an unowned service address", records: LiveRecords(isInServiceCIDR: true), outcome: .drop,
            rules: ["SVC-12"]),
        Case(
            name: "the wildcard comes before the range",
            records: LiveRecords(hasWildcard: true, isInServiceCIDR: true), outcome: .reject, rules: ["SVC-12"]),
        Case(name: "anything else", outcome: .notHandled, rules: [], path: .none),
        Case(
            name: "port 0 is no traffic", to: "10.96.0.1:0/UDP", records: LiveRecords(hasWildcard: true),
            outcome: .notHandled, rules: [], path: .none),
        Case(
            name: "host-only is not there for pods", records: records(flags: [DP_FRONTEND_HOST_ONLY]),
            outcome: .notHandled, rules: ["NP-6"], path: .none),
        Case(
            name: "SCTP is not for sockets", to: "10.96.0.1:80/SCTP", records: records(), outcome: .notHandled,
            rules: [], path: .none),
        Case(
            name: "nobody serves outside clients", from: "external:192.0.2.1", records: records(),
            outcome: .notHandled, rules: [], path: .none),
    ]

    @Test("the answer is the one that the programs give", arguments: forwarding + refusals + misses)
    func answers(_ example: Case) throws {
        let explanation = LiveExplainer(
            source: try #require(TrafficSource(example.from)), destination: try #require(FrontendAddress(example.to)),
            records: example.records,
            constants: ProgramConstants(hostNamespaceCookie: 1, podsAreLocalIPv4: example.podsAreLocal)
        ).explanation()
        #expect(explanation.outcome == example.outcome)
        #expect(explanation.rules == example.rules)
        #expect(explanation.backends.count == example.backends)
        #expect(explanation.path == example.path)
        #expect(explanation.reason.hasSuffix("."))
        #expect(explanation.masquerade == (example.outcome == .dnat ? .never : nil))
    }

    private func explain(_ records: LiveRecords, podsAreLocal: Bool = false) throws -> Explanation {
        LiveExplainer(
            source: .pod(nil), destination: try #require(FrontendAddress("10.96.0.1:80/TCP")), records: records,
            constants: ProgramConstants(hostNamespaceCookie: 1, podsAreLocalIPv4: podsAreLocal)
        ).explanation()
    }

    @Test("the detector's absence is named only where it makes a difference")
    func detector() throws {
        var same = Self.records()
        same.externalSet = same.internalSet
        #expect(try explain(same).rules == ["SVC-1"])
        var external = Self.records(DP_FRONTEND_NODE_PORT)
        external.externalSet = external.internalSet
        #expect(try explain(external).rules == ["SVC-3"])
        #expect(try explain(Self.records(DP_FRONTEND_NODE_PORT)).rules == ["SVC-3", "TP-8"])
    }

    @Test("the frontend has the words of the contract, and the list that each policy chooses from")
    func frontendWords() throws {
        let local = try #require(
            try explain(Self.records(DP_FRONTEND_LOAD_BALANCER, flags: [DP_FRONTEND_EXTERNAL_LOCAL])).frontend)
        #expect(local.internalTo == "cluster" && local.externalTo == "local" && local.sourceRanges == [])
        let refused = try #require(
            try explain(Self.records(internal: DP_ACTION_REJECT, external: DP_ACTION_DROP)).frontend)
        #expect(refused.internalTo == "reject" && refused.externalTo == "drop")
        let own = try #require(
            try explain(Self.records(flags: [DP_FRONTEND_INTERNAL_LOCAL, DP_FRONTEND_EXTERNAL_LOCAL])).frontend)
        #expect(own.internalTo == "local" && own.externalTo == "local")
        #expect(try explain(Self.records(DP_FRONTEND_NODE_PORT)).frontend?.externalTo == "cluster")
    }

    @Test("the policy is named where it is Local (TP-1, TP-5, TP-6)")
    func policies() throws {
        let clusterIP = Self.records(flags: [DP_FRONTEND_INTERNAL_LOCAL, DP_FRONTEND_EXTERNAL_LOCAL])
        #expect(try explain(clusterIP, podsAreLocal: true).rules == ["SVC-1", "TP-1"])
        let external = Self.records(DP_FRONTEND_NODE_PORT, flags: [DP_FRONTEND_EXTERNAL_LOCAL])
        #expect(try explain(external, podsAreLocal: true).rules == ["SVC-3", "TP-6"])
        #expect(try explain(external).rules == ["SVC-3", "TP-8", "TP-5"])
    }

    @Test(
        "source ranges are told as they were written, with the policy (LBSR-1)",
        arguments: [
            ([("0.0.0.0/0", "allow"), ("10.0.0.0/8", "deny")], ["10.0.0.0/8"], "deny"),
            (
                [("192.0.2.0/24", "allow"), ("10.0.0.0/8", "allow"), ("fd00::/8", "allow")],
                ["10.0.0.0/8", "192.0.2.0/24"], nil
            ),
            ([("0.0.0.0/0", "deny"), ("10.96.0.1/32", "allow"), ("10.0.0.0/8", "allow")], ["10.0.0.0/8"], nil),
        ] as [([(String, String)], [String], String?)])
    func sourceRanges(_ entries: [(String, String)], _ expected: [String], _ policy: String?) throws {
        var records = Self.records(DP_FRONTEND_LOAD_BALANCER, flags: [DP_FRONTEND_SOURCE_RANGES])
        records.ranges = try entries.map {
            SourceRange(try #require(CIDR($0.0)), $0.1 == "allow" ? .allow : .deny)
        }
        let frontend = try #require(try explain(records).frontend)
        #expect(frontend.sourceRanges == expected && frontend.sourceRangesPolicy == policy)
    }

    @Test("the page names what was found, one fact a line")
    func page() throws {
        let explanation = LiveExplainer(
            source: .node(nil), destination: try #require(FrontendAddress("[fd00::1]:80/TCP")),
            records: Self.records(external: DP_ACTION_DROP), constants: ProgramConstants(hostNamespaceCookie: 1)
        ).explanation()
        #expect(
            ExplanationPage(explanation).text == """
                Outcome:     dnat
                Service:     default/web:http
                Frontend:    ClusterIP [fd00::1]:80, internal cluster, external drop
                Backend:     10.0.1.1:8080
                Backend:     10.0.1.2:8080
                Masquerade:  never
                Rules:       SVC-1
                Path:        socket
                Reason:      \(explanation.reason)

                """)
    }
}
