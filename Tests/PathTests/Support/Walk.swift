// One way of asking: a transport and a family, and the addresses of a service in that family.

import Foundation
import HostCalls
import ProbeProtocol
import Testing
import World

struct Walk: Sendable, CustomTestStringConvertible {
    let transport: Transport
    let isV6: Bool

    static let every = [Transport.tcp, .udp].flatMap { transport in
        [false, true].map { Walk(transport: transport, isV6: $0) }
    }

    var testDescription: String { "\(transport) over \(isV6 ? "IPv6" : "IPv4")" }

    func choose(_ addresses: [String]) -> String { addresses.first { $0.contains(":") == isV6 } ?? "" }

    func address(of probe: Probe) -> String { isV6 ? probe.v6 : probe.v4 }
    func address(of node: Node) -> String { isV6 ? node.v6 : node.v4 }

    /// Every address that outside clients have for a service, with its port.
    func frontends(of service: PublishedService, at node: Node) -> [(address: String, port: UInt16)] {
        [
            (address(of: node), service.nodePort), (choose(service.loadBalancerIPs), service.port),
            (choose(service.externalIPs), service.port),
        ]
    }
}

/// Gives one test a site of its own, torn down however the test ends.
func withSite(configuration: [String] = [], isAlone: Bool = false, _ body: (Site) throws -> Void) async throws {
    try await withWorld { world in
        let site = try Site(in: world, configuration: configuration, isAlone: isAlone)
        try body(site)
    }
}

extension Answers {
    /// The addresses that servers saw as their client.
    var clientAddresses: Set<String> { Set(clients.keys) }
    /// The addresses that the client saw as its peer, without ports.
    var peerAddresses: Set<String> { Set(peers.keys.map(Self.withoutPort)) }

    private static func withoutPort(_ text: String) -> String {
        guard let colon = text.lastIndex(of: ":") else { return text }
        return text[..<colon].trimmingCharacters(in: ["[", "]"])
    }
}
