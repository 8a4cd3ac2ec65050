// The whole server on a real socket: what it answers, and how it stops. Rude clients are in ClientLimitTests.

import HTTPServing
import Logging
import MetricsServer
import NIOCore
import NIOHTTP1
import NetworkTypes
import ServiceLifecycle
import Synchronization
import Telemetry
import Testing

@Suite("The metrics server", .timeLimit(.minutes(1)))
struct MetricsServerTests {
    private static let page = MetricsPage([
        MetricFamily(.gauge, "martlet_services", help: "Services.", samples: [MetricSample(3)])
    ])
    private static let text = "# HELP martlet_services Services.\n# TYPE martlet_services gauge\nmartlet_services 3\n"

    @Test("metrics are served as Prometheus text (MET-1)")
    func metrics() async throws {
        try await withMetricsServer(page: { Self.page }) { address, _ in
            #expect(address.port != 0)
            let answer = try await Client.exchange(address, request("GET /metrics"))
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
            #expect(answer.contains("Content-Length: \(Self.text.utf8.count)\r\n"))
            #expect(answer.hasSuffix("\r\n\r\n" + Self.text))
        }
    }

    @Test("HEAD has the length and no body")
    func head() async throws {
        try await withMetricsServer(page: { Self.page }) { address, _ in
            let answer = try await Client.exchange(address, request("HEAD /metrics"))
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("Content-Length: \(Self.text.utf8.count)\r\n"))
            #expect(answer.hasSuffix("\r\n\r\n"))
        }
    }

    @Test("/healthz is ok as long as the process answers, and is counted in /metrics/slis (MET-2)")
    func health() async throws {
        try await withMetricsServer { address, _ in
            for _ in 0..<3 {
                let answer = try await Client.exchange(address, request("GET /healthz"))
                #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\nok"))
            }
            let answer = try await Client.exchange(address, request("GET /metrics/slis"))
            #expect(answer.contains("kubernetes_healthcheck{name=\"ping\",type=\"healthz\"} 1\n"))
            #expect(
                answer.contains(
                    "kubernetes_healthchecks_total{name=\"ping\",status=\"success\",type=\"healthz\"} 3\n"))
        }
    }

    @Test("pages of others are made anew for each request (MET-2)")
    func pages() async throws {
        let count = Atomic(0)
        let page: MetricsServer.Page = {
            HTTPAnswer(status: .ok, body: "\(count.add(1, ordering: .relaxed).newValue)")
        }
        try await withMetricsServer(pages: ["/proxyMode": page]) { address, _ in
            for number in 1...2 {
                let answer = try await Client.exchange(address, request("GET /proxyMode"))
                #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\n\(number)"))
            }
        }
    }

    struct Refusal: Sendable {
        let line: String
        let status: String
    }

    @Test(
        "other paths are not found, other methods not allowed",
        arguments: [
            Refusal(line: "GET /", status: "404 Not Found"), Refusal(line: "GET /metrics/", status: "404 Not Found"),
            Refusal(line: "POST /other", status: "404 Not Found"),
            Refusal(line: "POST /metrics", status: "405 Method Not Allowed"),
            Refusal(line: "DELETE /healthz", status: "405 Method Not Allowed"),
        ])
    func refusals(_ refusal: Refusal) async throws {
        try await withMetricsServer { address, _ in
            let answer = try await Client.exchange(address, request(refusal.line))
            #expect(answer.hasPrefix("HTTP/1.1 \(refusal.status)\r\n"))
            #expect(answer.contains("Allow: GET, HEAD\r\n") == refusal.status.hasPrefix("405"))
        }
    }

    @Test("pipelined requests are answered in order")
    func pipelining() async throws {
        try await withMetricsServer(page: { Self.page }) { address, _ in
            let requests = "GET /metrics HTTP/1.1\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n" + request("GET /none")
            let answer = try await Client.exchange(address, requests)
            let statuses = answer.split(separator: "HTTP/1.1 ").map { $0.prefix(3) }
            #expect(statuses == ["200", "200", "404"])
            #expect(answer.contains(Self.text + "HTTP/1.1 200 OK\r\n"))
        }
    }

    @Test("shutdown finishes the answer in progress and closes idle connections")
    func shutdown() async throws {
        let (asked, didAsk) = AsyncStream.makeStream(of: Void.self)
        let (allowed, allow) = AsyncStream.makeStream(of: Void.self)
        let late: MetricsServer.Page = {
            didAsk.yield()
            for await _ in allowed { break }
            return HTTPAnswer(status: .ok, body: "late\n")
        }
        try await withMetricsServer(pages: ["/late": late]) { address, group in
            try await Client.connect(to: address) { idle in
                try await Client.connect(to: address) { busy in
                    try await busy.send("GET /late HTTP/1.1\r\n\r\n")
                    for await _ in asked { break }
                    await group.triggerGracefulShutdown()
                    #expect(try await idle.readToEnd() == "")
                    allow.yield()
                    let answer = try await busy.readToEnd()
                    #expect(answer.contains("Connection: close\r\n"))
                    #expect(answer.hasSuffix("late\n"))
                }
            }
            await #expect(throws: (any Error).self) {
                _ = try await Client.exchange(address, request("GET /healthz"))
            }
        }
    }
}
