// The world carries traffic as a cluster without any load balancer does: pod to pod, client to pod, node to pod, over
// both families. Everything that Martlet's scenarios conclude rests on this.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("A world without a load balancer")
struct TrafficTests {
    private struct Path: CustomTestStringConvertible {
        let transport: Transport
        let family: AddressFamily
        var testDescription: String { "\(transport.rawValue) \(family.rawValue)" }

        static let all = Transport.allCases.flatMap { transport in
            AddressFamily.allCases.map { Path(transport: transport, family: $0) }
        }

        /// A pod's address as this family dials it.
        func address(of probe: Probe) -> String { family == .v6 ? probe.v6 : probe.v4 }
    }

    @Test("pod reaches pod over every transport and socket family")
    func podToPod() async throws {
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1", "fd50::1"])
            let web = try node.addPod("web", addresses: ["10.0.1.2", "fd00:1::2"])
            let client = try node.addPod("client", addresses: ["10.0.1.3", "fd00:1::3"])
            for transport in Transport.allCases where try web.canOpen(transport) {
                try web.serve(transport, port: transport == .mptcp ? 8081 : 8080)
            }
            for path in Path.all where try client.canOpen(path.transport) {
                let port: UInt16 = path.transport == .mptcp ? 8081 : 8080
                let answers = try client.ask(
                    path.transport, path.address(of: web), port, family: path.family, count: 20)
                #expect(answers.servers == ["web": 20], "\(path.testDescription): \(answers)")
                let seen = path.family == .v6 ? "fd00:1::3" : "10.0.1.3"
                #expect(answers.clients == [seen: 20], "\(path.testDescription)")
                let local = SocketAddress(path.address(of: web), port)
                #expect(answers.locals == ["\(local)": 20], "\(path.testDescription)")
            }
        }
    }

    @Test("a port without a server is refused, an address without a pod is unreachable")
    func refusals() async throws {
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1", "fd50::1"])
            let web = try node.addPod("web", addresses: ["10.0.1.2", "fd00:1::2"])
            let client = try node.addPod("client", addresses: ["10.0.1.3", "fd00:1::3"])
            for address in [web.v4, web.v6] {
                #expect(try client.ask(.tcp, address, 9, count: 3).errors == ["ECONNREFUSED": 3])
                #expect(try client.ask(.udp, address, 9, count: 3).errors == ["ECONNREFUSED": 3])
                #expect(try refusal { try client.connect(.tcp, address, 9) } == "ECONNREFUSED")
            }
            // The node has no route there and says so, for want of a way out of the world.
            #expect(try client.ask(.tcp, "198.51.100.1", 80).errors == ["ENETUNREACH": 1])
            #expect(try node.host.ask(.tcp, "198.51.100.1", 80).errors == ["ENETUNREACH": 1])
        }
    }

    @Test("clients outside reach pods by routes, also across nodes")
    func outside() async throws {
        try await withWorld { world in
            let one = try world.addNode("n1", zone: "a", addresses: ["192.168.50.1", "fd50::1"])
            let near = try one.addPod("near", addresses: ["10.0.1.2", "fd00:1::2"])
            let two = try world.addNode("n2", zone: "b", addresses: ["192.168.50.2", "fd50::2"])
            let far = try two.addPod("far", addresses: ["10.0.2.2", "fd00:2::2"])
            let behind = try world.addClient("behind", addresses: ["203.0.113.9", "2001:db8::9"], behind: one)
            let beside = try world.addFabricClient(
                "beside", addresses: ["192.168.50.100", "fd50::100"], router: one)
            for pod in [near, far] {
                try pod.serve(.tcp, port: 80)
                try pod.serve(.udp, port: 80)
            }
            for client in [beside, near, one.host] {
                for address in [far.v4, far.v6] {
                    #expect(try client.ask(.tcp, address, 80, count: 5).servers == ["far": 5], "\(client.name)")
                    #expect(try client.ask(.udp, address, 80, count: 5).servers == ["far": 5], "\(client.name)")
                }
            }
            for address in [near.v4, near.v6] {
                #expect(try behind.ask(.tcp, address, 80, count: 5).clients.keys.count == 1)
                #expect(try behind.ask(.tcp, address, 80, count: 5).servers == ["near": 5])
                #expect(try two.host.ask(.tcp, address, 80, count: 5).servers == ["near": 5])
            }
        }
    }

    @Test("nodes of one family and of both share a world")
    func mixedFamilies() async throws {
        try await withWorld { world in
            let both = try world.addNode("both", addresses: ["192.168.50.1", "fd50::1"])
            let old = try world.addNode("old", addresses: ["192.168.50.2"])
            let new = try world.addNode("new", addresses: ["fd50::3"])
            let pods = try [(both, 1), (old, 2), (new, 3)].map { node, number in
                let pod = try node.addPod("pod-\(number)", addresses: ["10.0.\(number).2", "fd00:\(number)::2"])
                try pod.serve(.tcp, port: 80)
                return pod
            }
            #expect(try old.host.ask(.tcp, pods[0].v4, 80).servers == ["pod-1": 1])
            #expect(try new.host.ask(.tcp, pods[0].v6, 80).servers == ["pod-1": 1])
            #expect(try pods[0].ask(.tcp, pods[1].v4, 80).servers == ["pod-2": 1])
            #expect(try pods[0].ask(.tcp, pods[2].v6, 80).servers == ["pod-3": 1])
            #expect(try pods[1].ask(.tcp, pods[2].v6, 80).servers == [:])
        }
    }

    @Test("large requests and replies arrive whole")
    func largePayloads() async throws {
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1", "fd50::1"])
            let web = try node.addPod("web", addresses: ["10.0.1.2", "fd00:1::2"])
            let client = try node.addPod("client", addresses: ["10.0.1.3", "fd00:1::3"])
            for transport in [Transport.tcp, .udp] {
                try web.serve(transport, port: 80)
                for address in [web.v4, web.v6] {
                    let answers = try client.ask(
                        transport, address, 80, count: 3, requestSize: 60_000, replySize: 60_000)
                    #expect(answers.servers == ["web": 3], "\(transport) \(address) \(answers)")
                }
            }
        }
    }

    @Test("a removed pod's address goes with it")
    func removedPod() async throws {
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1", "fd50::1"])
            let other = try world.addNode("n2", addresses: ["192.168.50.2", "fd50::2"])
            let web = try node.addPod("web", addresses: ["10.0.1.2", "fd00:1::2"])
            try web.serve(.tcp, port: 80)
            #expect(try other.host.ask(.tcp, web.v4, 80).servers == ["web": 1])
            try node.removePod(web)
            #expect(try node.host.ask(.tcp, web.v4, 80).errors == ["ENETUNREACH": 1])
            #expect(try other.host.ask(.tcp, web.v6, 80).errors == ["ENETUNREACH": 1])
            #expect(!web.isRunning)
        }
    }
}
