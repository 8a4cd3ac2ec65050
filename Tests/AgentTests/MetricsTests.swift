// The agent's metrics page and health, as a scraper gets them.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("The agent's HTTP pages", .serialized)
struct MetricsTests {
    @Test("are well formed, follow the traffic by service, and are healthy once synced")
    func page() async throws {
        try await withScene { scene in
            let web = TestService(name: "web", address: "172.30.0.10", endpoints: [Scene.server(1)])
            let idle = TestService(name: "idle", address: "172.30.0.20")
            try scene.publish(web, idle)
            let agent = try scene.start()
            #expect(try agent.get("/healthz").first == "HTTP/1.1 200 OK")
            #expect(try agent.get("/nowhere").first?.contains("404") == true)
            try expectWellFormed(try agent.get("/metrics"))

            func labels(_ name: String) -> String {
                "{namespace=\"shop\",port=\"web\",protocol=\"TCP\",service=\"\(name)\"}"
            }
            let before = try agent.metrics()
            #expect(before["martlet_service_connections_total" + labels("web")] == 0)
            #expect(try scene.ask(web, count: 25).total == 25)
            #expect(try scene.ask(idle, count: 7).errors == ["ECONNREFUSED": 7])
            let after = try agent.metrics()
            #expect(after["martlet_service_connections_total" + labels("web")] == 25)
            #expect(after["martlet_service_connections_total" + labels("idle")] == 0)
            #expect(after["martlet_service_refused_total" + labels("idle")] == 7)
            #expect(after["martlet_socket_outcomes_total{outcome=\"forwarded\"}"] == 25)
            #expect(after["martlet_socket_outcomes_total{outcome=\"no_endpoints\"}"] == 7)
            #expect(after["martlet_packet_outcomes_total{outcome=\"sent_on\"}"] == 0)
            #expect(after["martlet_socket_outcomes_total{outcome=\"sent_on\"}"] == nil)
            #expect(after["martlet_service_packets_total" + labels("web")] == 0)
            #expect(after["martlet_service_bytes_total" + labels("web")] == 0)
            #expect(after["martlet_device_hooks_missing{hook=\"tc_ingress\"}"] == 0)
            #expect(after["martlet_services"] == 2)
            #expect(after["martlet_synced"] == 1)
        }
    }

    /// Every family has its help and type once, before its samples; no sample comes twice.
    private func expectWellFormed(_ answer: [String]) throws {
        let head = answer.prefix { !$0.isEmpty }
        #expect(head.contains { $0.lowercased().hasPrefix("content-type: text/plain; version=0.0.4") })
        var family = ""
        var families: Set<String> = []
        var samples: Set<String> = []
        for line in answer.drop(while: { !$0.isEmpty }).dropFirst() {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if line.hasPrefix("# HELP ") {
                family = words[2]
                #expect(families.insert(family).inserted, "\(line)")
            } else if line.hasPrefix("# TYPE ") {
                #expect(words[2] == family, "\(line)")
            } else {
                let name = String(line.prefix { $0 != "{" && $0 != " " })
                let own = ["", "_bucket", "_sum", "_count"].map { family + $0 }
                #expect(own.contains(name), "\(line)")
                let series = String(line[..<(try #require(line.lastIndex(of: " ")))])
                #expect(samples.insert(series).inserted, "\(line)")
            }
        }
        #expect(samples.count > 30)
    }
}
