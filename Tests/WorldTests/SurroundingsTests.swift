// What tests change about a node besides its pods: addresses, interfaces, kernel settings, offloads, pins.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("A node's surroundings")
struct SurroundingsTests {
    @Test("addresses come and go, on eth0 and on dummy interfaces")
    func addresses() async throws {
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1", "fd50::1"])
            let beside = try world.addFabricClient("beside", addresses: ["192.168.50.100"], router: node)
            try node.host.serve(.tcp, port: 80)
            try node.addDummy("vip0", addresses: ["172.30.0.10", "fd30::10"])
            #expect(try beside.ask(.tcp, "172.30.0.10", 80).servers == ["n1": 1])
            #expect(try node.host.ask(.tcp, "fd30::10", 80).servers == ["n1": 1])
            try node.addAddress("192.168.50.7")
            #expect(try beside.ask(.tcp, "192.168.50.7", 80).servers == ["n1": 1])
            try node.removeAddress("192.168.50.7")
            #expect(try node.host.ask(.tcp, "192.168.50.7", 80, timeout: .milliseconds(50)).servers == [:])
            #expect(throws: WorldError.self) { try node.addAddress("192.168.50.") }
        }
    }

    @Test("kernel settings are those of the node's own namespace")
    func settings() async throws {
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1"])
            let pod = try node.addPod("pod", addresses: ["10.0.1.2"])
            #expect(try node.host.setting("net.ipv4.ip_forward") == "1")
            #expect(try pod.setting("net.ipv4.ip_forward") == "0")
            try pod.set("net.ipv4.conf.eth0.rp_filter", "2")
            #expect(try pod.setting("net.ipv4.conf.eth0.rp_filter") == "2")
            #expect(try refusal { try pod.set("net.ipv4.nonesuch", "1") } == "ENOENT")
        }
    }

    @Test("traffic flows without checksum offload")
    func offload() async throws {
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1"])
            let pod = try node.addPod("pod", addresses: ["10.0.1.2"])
            try pod.serve(.tcp, port: 80)
            try pod.turnOffChecksumOffload()
            let interface = try #require(node.interface(towards: pod))
            try node.host.turnOffChecksumOffload(interface)
            #expect(try node.host.ask(.tcp, pod.v4, 80, replySize: 20_000).servers == ["pod": 1])
            #expect(try refusal { try pod.turnOffChecksumOffload("none0") } == "ENODEV")
        }
    }

    @Test("a world has a place for pins of its own")
    func pins() async throws {
        try await withWorld { world in
            let path = try world.mountPins()
            let mounts = try readText("/proc/self/mounts").split(separator: "\n")
            #expect(mounts.contains { $0.contains(" \(path) bpf ") })
        }
    }

    @Test("names are not taken twice")
    func names() async throws {
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1"])
            try node.addPod("a-pod-with-a-very-long-name-1", addresses: ["10.0.1.2"])
            try node.addPod("a-pod-with-a-very-long-name-2", addresses: ["10.0.1.3"])
            #expect(throws: WorldError.self) { try world.addNode("n1", addresses: ["192.168.50.2"]) }
            #expect(throws: WorldError.self) { try node.addPod("Bad name", addresses: ["10.0.1.4"]) }
        }
    }
}
