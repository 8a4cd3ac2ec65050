// `martlet explain` for packets: what the records say is what the real programs do, and asking leaves nothing behind.

import BPF
import CDatapathABI
import Datapath
import DatapathImage
import Glibc
import Inspection
import KernelTestSupport
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

extension Lab {
    /// - Parameter source: as on the command line.
    fileprivate func explain(
        _ source: String = "external", to address: AddressAndPort, _ transport: TransportProtocol = .tcp
    ) throws -> LiveExplanation {
        try LiveExplanation.explain(
            from: try #require(TrafficSource(source)),
            to: try #require(FrontendAddress("\(address)/\(transport)")), in: datapath.maps.pinFolder)
    }
}

extension LiveExplanation {
    /// Expects the programs to have been asked, and to do as the records say.
    fileprivate func expect(
        _ outcome: Explanation.Outcome, _ rules: [String], by path: Explanation.Path = .tc,
        from place: SourceLocation = #_sourceLocation
    ) {
        #expect(explanation.outcome == outcome, "\(explanation.reason)", sourceLocation: place)
        #expect(explanation.rules == rules, "\(explanation.reason)", sourceLocation: place)
        #expect(explanation.path == path, "\(explanation.reason)", sourceLocation: place)
        #expect(program != nil && agrees, "\(explanation.reason)", sourceLocation: place)
    }
}

extension PacketTests {
    @Suite("Explaining packets") struct ExplanationTests {
        struct Question: Sendable, CustomTestStringConvertible {
            var ground: Ground
            var transport: TransportProtocol
            var testDescription: String { "\(transport) over \(ground.testDescription)" }

            /// XDP leaves SCTP to TC.
            var firstPath: Explanation.Path { transport == .sctp ? .tc : .xdp }

            static let all = Ground.both.flatMap { ground in
                [TransportProtocol.tcp, .udp, .sctp].map { Question(ground: ground, transport: $0) }
            }
        }

        @Test("to backends of other nodes: masqueraded, by XDP (TP-4, MASQ-4)", arguments: Question.all)
        func masqueraded(_ question: Question) throws {
            try withLab { lab in
                try lab.serve(question.transport, [.remote])
                for (kind, rule) in [
                    (FrontendPlan.Kind.nodePort, "SVC-3"), (.externalIP, "SVC-5"), (.loadBalancer, "SVC-4"),
                ] {
                    let answer = try lab.explain(to: question.ground.frontend(kind), question.transport)
                    answer.expect(.dnat, [rule, "TP-4", "MASQ-4"], by: question.firstPath)
                    #expect(answer.explanation.masquerade == .always)
                    #expect(answer.explanation.service == "test/web")
                    let backend = AddressAndPort(address: question.ground.remotePod, port: Ground.backendPort)
                    #expect(answer.explanation.backends == [backend.description])
                    #expect(answer.program?.destination == backend.description)
                    #expect(answer.program?.verdict == .sent && answer.program?.device == "eth0")
                    #expect(answer.program?.hook == (question.firstPath == .xdp ? "xdp" : "tc_ingress"))
                }
                try lab.explain(to: question.ground.frontend(.clusterIP), question.transport)
                    .expect(.dnat, ["SVC-1", "MASQ-2"], by: question.firstPath)
            }
        }

        @Test(
            "to backends of this node: by TC, with the client's address if the policy is Local (TP-5, MASQ-3)",
            arguments: Question.all)
        func local(_ question: Question) throws {
            try withLab { lab in
                try lab.serve(question.transport, [.local, .remote]) { $0.externalTrafficPolicy = .local }
                let address = question.ground.frontend(.loadBalancer)
                let answer = try lab.explain("external:\(question.ground.client)", to: address, question.transport)
                answer.expect(.dnat, ["SVC-4", "TP-5", "MASQ-3"])
                #expect(answer.explanation.masquerade == .never && answer.explanation.backends.count == 1)
                #expect(answer.explanation.frontend?.externalTo == "local")
                #expect(answer.explanation.frontend?.internalTo == "cluster")
                #expect(answer.program?.source?.contains("\(question.ground.client)") ?? false)
                try lab.serve(question.transport, [.remote]) { $0.externalTrafficPolicy = .local }
                try lab.explain(to: address, question.transport).expect(.drop, ["SVC-4", "TP-7"])
                try lab.serve(question.transport, [])
                try lab.explain(to: address, question.transport).expect(.reject, ["SVC-4", "REJ-1"])
            }
        }

        @Test("the internal policy of a ClusterIP is told (TP-1, TP-3)", arguments: Question.all)
        func internalPolicy(_ question: Question) throws {
            try withLab { lab in
                let address = question.ground.frontend(.clusterIP)
                try lab.serve(question.transport, [.local, .remote]) { $0.internalTrafficPolicy = .local }
                let answer = try lab.explain(to: address, question.transport)
                answer.expect(.dnat, ["SVC-1", "TP-1", "MASQ-2"])
                #expect(answer.explanation.frontend?.internalTo == "local" && answer.explanation.backends.count == 1)
                try lab.serve(question.transport, [.remote]) { $0.internalTrafficPolicy = .local }
                try lab.explain(to: address, question.transport).expect(.drop, ["SVC-1", "TP-3"])
            }
        }

        @Test("in a tunnel with DSR: by XDP to other nodes, and not at all for pods", arguments: Question.all)
        func tunnelled(_ question: Question) throws {
            try withLab { lab in
                let address = question.ground.frontend(.externalIP)
                try lab.serve(question.transport, [.remote]) { $0.forwarding = .dsr }
                let answer = try lab.explain(to: address, question.transport)
                answer.expect(.dnat, ["SVC-5", "TP-4"], by: question.firstPath)
                #expect(answer.explanation.masquerade == .never)
                #expect(answer.program?.tunnel?.destination == "\(question.ground.remotePod)")
                #expect(answer.program?.destination == "\(address)")
                try lab.explain("external:\(question.ground.localPod)", to: address, question.transport)
                    .expect(.dnat, ["SVC-5", "TP-4", "MASQ-4"])
                try lab.serve(question.transport, [.local]) { $0.forwarding = .dsr }
                let local = try lab.explain(to: address, question.transport)
                local.expect(.dnat, ["SVC-5", "TP-4"])
                #expect(local.program?.tunnel == nil)
            }
        }

        @Test("by option with DSR: to the backend's own address, as from the client", arguments: Question.all)
        func byOption(_ question: Question) throws {
            try withLab(.with { $0.packets.dispatch = .option }) { lab in
                try lab.serve(question.transport, [.remote]) { $0.forwarding = .dsr }
                let answer = try lab.explain(to: question.ground.frontend(.externalIP), question.transport)
                answer.expect(.dnat, ["SVC-5", "TP-4"], by: question.firstPath)
                #expect(answer.program?.tunnel == nil)
                #expect(
                    answer.program?.destination == "\(AddressAndPort(address: question.ground.remotePod, port: 8080))")
                #expect(answer.program?.source == answer.program?.client)
            }
        }

        @Test("an unused port of a load-balancer address, as routes have it (REJ-4)", arguments: Question.all)
        func unusedPort(_ question: Question) throws {
            try withLab { lab in
                let ground = question.ground
                try lab.serve(question.transport, [.remote]) { $0.externalIPs = [ground.otherNode] }
                var unused = ground.frontend(.loadBalancer)
                unused.port = 81
                try lab.explain(to: unused, question.transport).expect(.reject, ["REJ-4"])
                unused.address = ground.otherNode
                try lab.explain(to: unused, question.transport).expect(.notHandled, ["REJ-4"])
            }
        }

        @Test(
            "a client that is one of the backends is masqueraded there only (MASQ-1, MASQ-5)", arguments: Question.all)
        func hairpin(_ question: Question) throws {
            try withLab { lab in
                try lab.serve(question.transport, [.local, .remote])
                let pod = question.ground.localPod
                for _ in 0..<12 {
                    let answer = try lab.explain(
                        "external:\(pod)", to: question.ground.frontend(.clusterIP), question.transport)
                    answer.expect(.dnat, ["SVC-1", "MASQ-1", "MASQ-5"])
                    #expect(answer.explanation.masquerade == .byBackend)
                    #expect(answer.explanation.masqueradedBackends == ["\(AddressAndPort(address: pod, port: 8080))"])
                    #expect(answer.program?.device == "pod1" || answer.program?.device == "wire0")
                }
            }
        }

        @Test("a source on this node is as good as the node (TP-10, TP-6, MASQ-11)", arguments: Question.all)
        func nodeSource(_ question: Question) throws {
            try withLab { lab in
                try lab.serve(question.transport, [.remote]) { $0.externalTrafficPolicy = .local }
                try lab.explain(
                    "external:\(question.ground.node)", to: question.ground.frontend(.loadBalancer), question.transport
                ).expect(.dnat, ["SVC-4", "TP-10", "TP-6", "MASQ-11"])
            }
        }

        @Test("source ranges are shown, and decide (LBSR-1)", arguments: Question.all, [false, true])
        func sourceRanges(_ question: Question, _ denies: Bool) throws {
            try withLab { lab in
                let ground = question.ground
                try lab.serve(question.transport, [.remote]) {
                    $0.loadBalancerSourceRanges = Ground.both.map { CIDR($0.client) }
                    $0.sourceRangesPolicy = denies ? .deny : .allow
                }
                let inside = try lab.explain(
                    "external:\(ground.client)", to: ground.frontend(.loadBalancer), question.transport)
                let outside = try lab.explain(
                    "external:\(ground.otherClient)", to: ground.frontend(.loadBalancer), question.transport)
                let (admitted, excluded) = denies ? (outside, inside) : (inside, outside)
                admitted.expect(.dnat, ["SVC-4", "LBSR-1", "TP-4", "MASQ-4"], by: question.firstPath)
                excluded.expect(.drop, ["SVC-4", "LBSR-1"])
                for answer in [inside, outside] {
                    #expect(answer.explanation.frontend?.sourceRanges == ["\(CIDR(ground.client))"])
                    #expect(answer.explanation.frontend?.sourceRangesPolicy == (denies ? "deny" : nil))
                }
                try lab.explain("external:\(ground.otherClient)", to: ground.frontend(.nodePort), question.transport)
                    .expect(.dnat, ["SVC-3", "TP-4", "MASQ-4"], by: question.firstPath)
            }
        }

        @Test("what is no frontend: refused, silent, or nothing to us (SVC-12)", arguments: Question.all)
        func misses(_ question: Question) throws {
            try withLab { lab in
                try lab.serve(question.transport, [.remote])
                let ground = question.ground
                try lab.explain(to: AddressAndPort(address: ground.clusterIP, port: 9), question.transport)
                    .expect(.reject, ["SVC-12"])
                try lab.explain(to: AddressAndPort(address: ground.unownedServiceAddress, port: 80), question.transport)
                    .expect(.drop, ["SVC-12"])
                try lab.explain(to: AddressAndPort(address: ground.otherNode, port: 80), question.transport)
                    .expect(.notHandled, [], by: .none)
            }
            try withLab(.with { $0.servesClusterIPsOutside = false }) { lab in
                try lab.serve(question.transport, [.remote])
                try lab.explain(to: question.ground.frontend(.clusterIP), question.transport)
                    .expect(.reject, ["SVC-1"])
            }
        }

        @Test("SCTP of a pod meets the packet hooks, by the device that leads to pods", arguments: Ground.both)
        func podSCTP(_ ground: Ground) throws {
            try withLab { lab in
                try lab.serve(.sctp, [.remote])
                let answer = try lab.explain("pod:\(ground.otherLocalPod)", to: ground.frontend(.clusterIP), .sctp)
                answer.expect(.dnat, ["SVC-1", "MASQ-1"])
                let unknown = try lab.explain("pod", to: ground.frontend(.clusterIP), .sctp)
                #expect(unknown.explanation.outcome == .dnat && unknown.program == nil)
                #expect(unknown.explanation.reason.contains("since the pod's address is not given"))
            }
        }

        @Test(
            "leaves no flow and no affinity behind, keeps those that are there, and sends nothing",
            arguments: Question.all)
        func traceless(_ question: Question) throws {
            try withLab { lab in
                try lab.serve(question.transport, [.local, .remote]) { $0.sessionAffinitySeconds = 600 }
                let maps = DatapathMapCounts(lab)
                let sent = try Self.sentPackets()
                let address = question.ground.frontend(.loadBalancer)
                let source = "external:\(question.ground.client)"
                for _ in 0..<20 { #expect(try lab.explain(source, to: address, question.transport).agrees) }
                #expect(try maps.now() == [0, 0, 0])
                // Neighbour discovery may say a word now and then; twenty requests would be more.
                #expect(try Self.sentPackets() - sent < 10)
                let exchange = Exchange(ground: question.ground, transport: question.transport, entrance: .tc)
                _ = try lab.receive(exchange.request(to: address))
                let key = try #require(try lab.datapath.maps.affinity.entries().first?.0)
                let before = try #require(try lab.datapath.maps.affinity.lookup(key))
                #expect(try maps.now() == [1, 1, 1])
                for _ in 0..<20 {
                    let answer = try lab.explain(source, to: address, question.transport)
                    #expect(answer.agrees && answer.explanation.rules.last == "AFF-1")
                }
                #expect(try maps.now() == [1, 1, 1])
                let after = try #require(try lab.datapath.maps.affinity.lookup(key))
                #expect(before.last_used_ns == after.last_used_ns && before.backend_id == after.backend_id)
            }
        }

        @Test("a program that does something else is reported, with what was counted", arguments: Ground.both)
        func disagreement(_ ground: Ground) throws {
            try withLab { lab in
                try lab.serve(.tcp, [.lost])
                let answer = try lab.explain(to: ground.frontend(.nodePort))
                #expect(answer.explanation.outcome == .dnat && !answer.agrees)
                #expect(answer.program?.verdict == .dropped && answer.program?.agrees == false)
                #expect(answer.program?.countedMeanwhile == ["no_route"])
                #expect(
                    answer.explanation.reason.hasSuffix(
                        "; but the real program (tc_ingress) dropped it, where one of its backends was expected "
                            + "(counted meanwhile: no_route)."))
                let json = try JSONText.encode(answer)
                #expect(json.contains("\"program\"") && json.contains("\"outcome\" : \"dnat\""))
            }
        }

        @Test("a device can be named; one without programs is an error")
        func device() throws {
            try withLab { lab in
                try lab.serve(.tcp, [.remote])
                let destination = try #require(FrontendAddress("\(Ground.ipv4.frontend(.nodePort))/TCP"))
                let folder = lab.datapath.maps.pinFolder
                let answer = try LiveExplanation.explain(
                    from: .external(nil), to: destination, at: "eth1", in: folder)
                #expect(answer.program?.device == "eth1")
                #expect(throws: NoSuchDevice.self) {
                    _ = try LiveExplanation.explain(from: .external(nil), to: destination, at: "nil0", in: folder)
                }
            }
        }

        /// What the lab's devices have sent so far.
        private static func sentPackets() throws -> Int {
            guard let file = unsafe fopen("/proc/thread-self/net/dev", "r") else { throw SupportError("no net/dev") }
            defer { unsafe fclose(file) }
            var text = ""
            var line = [CChar](repeating: 0, count: 512)
            while unsafe fgets(&line, Int32(line.count), file) != nil {
                text += String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
            return text.split(separator: "\n").reduce(0) { sum, line in
                let words = line.split { $0 == " " || $0 == ":" }
                guard ["eth0", "eth1", "pod1"].contains(words.first ?? ""), words.count > 10 else { return sum }
                return sum + (Int(words[10]) ?? 0)
            }
        }
    }
}

/// How many flows, entries of replies, and affinity records there are.
private struct DatapathMapCounts {
    let lab: Lab

    init(_ lab: Lab) { self.lab = lab }

    func now() throws -> [Int] {
        [
            try lab.datapath.maps.flows.entries().count, try lab.datapath.maps.flowReplies.entries().count,
            try lab.datapath.maps.affinity.entries().count,
        ]
    }
}
