// Addresses with ports as people write them.

import NetworkTypes
import Testing

@Suite struct AddressAndPortTests {
    @Test(
        "An address with a port reads back from its own text",
        arguments: ["10.0.1.2:8080", "[fd00::1]:80", "0.0.0.0:0"])
    func roundTrip(_ text: String) {
        #expect(AddressAndPort(text)?.description == text)
    }

    @Test(
        "Text without a port, or without brackets around IPv6, is refused",
        arguments: [
            "10.0.1.2", "10.0.1.2:", "10.0.1.2:65536", "10.0.1.2:+80", "fd00::1:80", "[10.0.1.2]:80", "[fd00::1]",
            ":80", "",
        ])
    func refused(_ text: String) {
        #expect(AddressAndPort(text) == nil)
    }

    @Test("Kubernetes names protocols in capitals", arguments: TransportProtocol.allCases)
    func protocols(_ protocolKind: TransportProtocol) {
        #expect(TransportProtocol(kubernetesName: protocolKind.description) == protocolKind)
        #expect(TransportProtocol(kubernetesName: protocolKind.description.lowercased()) == nil)
    }
}
