// A UDP client outside of the nodes that keeps its source port, as resolvers and media servers do: it follows what
// becomes of its endpoint (CT-1).

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("UDP clients with a fixed port", .timeLimit(.minutes(5)))
struct FixedPortPathTests {
    private static let otherPort: UInt16 = 8081

    @Test(
        "follow when the first endpoint appears, when theirs goes, and when the target port changes (CT-1)",
        arguments: ["snat", "dsr"], [true, false])
    func follow(_ forwarding: String, _ isLocalFirst: Bool) async throws {
        try await withSite { site in
            for pod in [site.a1, site.b1] { try pod.serve(.udp, port: Self.otherPort) }
            let (first, second) =
                isLocalFirst ? ((site.a1, "near"), (site.b1, "far")) : ((site.b1, "far"), (site.a1, "near"))
            for isV6 in [false, true] {
                var service = PublishedService.everywhere([])
                service.annotations["martlet.dev/forwarding"] = forwarding
                try site.publish([service])
                let walk = Walk(transport: .udp, isV6: isV6)
                let frontend = SocketAddress(walk.choose(service.loadBalancerIPs), service.port)
                let socket = try site.client.openDatagram(
                    isV6 ? .v6 : .v4, bind: SocketAddress(walk.address(of: site.client), 45001))
                #expect(throws: WorldError.self) {
                    try socket.request(to: frontend, within: .milliseconds(200))
                }
                service.endpoints = [first]
                try site.publish([service])
                #expect(try socket.request(to: frontend).server == first.0.name, "\(walk): the first endpoint")
                service.endpoints = [second]
                try site.publish([service])
                #expect(try socket.request(to: frontend).server == second.0.name, "\(walk): another endpoint")
                service.targetPort = Self.otherPort
                try site.publish([service])
                let moved = try socket.request(to: frontend)
                #expect(
                    moved.server == second.0.name && moved.local.hasSuffix(":\(Self.otherPort)"), "\(walk): \(moved)")
                service.endpoints = []
                try site.publish([service])
                try socket.close()
            }
        }
    }
}
