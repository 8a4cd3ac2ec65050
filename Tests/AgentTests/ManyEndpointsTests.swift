// One service with as many endpoints as Kubernetes is ever run with.

import Foundation
import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("A service with 100,000 endpoints", .serialized)
struct ManyEndpointsTests {
    @Test("is reachable at each of them, soon and within a bounded amount of memory")
    func hundredThousand() async throws {
        try await withScene(servers: 1) { scene in
            scene.mapSizes = [:]
            // One pod has all the addresses of 10.64.0.0/10.
            let pod = scene.servers[0]
            let toPod = try #require(scene.node.interface(towards: pod))
            try scene.node.namespace.configure(["route add 10.64.0.0/10 dev \(toPod)"])
            try pod.namespace.configure(["route add local 10.64.0.0/10 dev lo"])
            let web = TestService(name: "web", address: "172.30.0.10")
            try scene.publish(web)
            for slice in 0..<100 { try scene.publish(json(slice), as: "slice-\(slice).json") }
            let began = ContinuousClock.now
            let agent = try scene.launch()
            #expect(try agent.says("the manifests are programmed", within: .seconds(120)))
            let took = ContinuousClock.now - began
            #expect(try scene.isServed(web, by: ["web-1"]))
            let answers = try scene.ask(web, count: 200)
            #expect(answers.total == 200 && answers.locals.count > 190, "\(answers.locals.count)")
            #expect(try agent.metric("martlet_map_used_entries{map=\"backends\"}") >= 100_000)
            let status = try readText("/proc/\(agent.process.pid)/status")
            let resident = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
            let kibibytes = try #require(resident.split(separator: " ").compactMap { Int($0) }.first)
            print("100,000 endpoints: \(took), \(kibibytes / 1024) MiB resident")
            #expect(kibibytes < 256 * 1024)
            #expect(took < .seconds(90))
        }
    }

    private func json(_ slice: Int) -> String {
        let endpoints = (0..<1000).map { index in
            let number = slice * 1000 + index
            return "{\"addresses\":[\"10.\(64 + number / 65536).\(number / 256 % 256).\(number % 256)\"]}"
        }
        return """
            {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4",
            "metadata":{"namespace":"shop","name":"web-\(slice)","labels":{"kubernetes.io/service-name":"web"}},
            "ports":[{"name":"web","protocol":"TCP","port":8080}],"endpoints":[\(endpoints.joined(separator: ","))]}
            """
    }
}
