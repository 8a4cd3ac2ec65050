// Sockets of this process on loopback addresses, and how the kernel writes addresses.

import Glibc
import NetworkTypes
import Testing

@testable import SystemCalls

@Suite struct InternetSocketTests {
    private func address(_ text: String) throws -> AddressAndPort { try #require(AddressAndPort(text)) }

    @Test("an address is written as its family has it, with the port in network order")
    func encoding() throws {
        let ipv4 = SocketAddress(try address("10.1.2.3:258"), for: .ipv4).bytes
        #expect(ipv4 == [UInt8(AF_INET), 0, 1, 2, 10, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0])
        let ipv6 = SocketAddress(try address("[fd00::1]:80"), for: .ipv6).bytes
        let zeros = [UInt8](repeating: 0, count: 13)
        #expect(ipv6 == [UInt8(AF_INET6), 0, 0, 80, 0, 0, 0, 0, 0xfd] + zeros + [0, 1, 0, 0, 0, 0])
    }

    @Test("an IPv4 address is mapped for an IPv6 socket, and comes back as itself")
    func mapped() throws {
        let address = try address("10.1.2.3:80")
        let encoded = SocketAddress(address, for: .ipv6)
        #expect(encoded.bytes[18..<24] == [0xff, 0xff, 10, 1, 2, 3])
        #expect(encoded.decoded(for: .ipv6) == address)
    }

    @Test("a datagram arrives, and tells where it came from")
    func datagram() throws {
        let server = try InternetSocket(.udp, .ipv4)
        try server.bind(to: address("127.0.0.1:0"))
        let client = try InternetSocket(.udp, .ipv4)
        try client.bind(to: address("127.0.0.1:0"))
        try client.send(to: server.localAddress())
        #expect(try server.receive() == client.localAddress())
        #expect(try client.cookie() != server.cookie())
    }

    @Test("a stream is connected and accepted, and both ends agree on the addresses")
    func stream() throws {
        let listener = try InternetSocket(.tcp, .ipv4)
        try listener.bind(to: address("127.0.0.1:0"))
        try listener.listen()
        let client = try InternetSocket(.tcp, .ipv4)
        try client.connect(to: listener.localAddress())
        let accepted = try listener.accept()
        #expect(try client.peerAddress() == listener.localAddress())
        #expect(try accepted.peerAddress() == client.localAddress())
        #expect(client.pendingError() == 0)
    }

    @Test("a connect to nobody is refused, in the words of the call")
    func refusal() throws {
        let unused = try InternetSocket(.tcp, .ipv4)
        try unused.bind(to: address("127.0.0.1:0"))
        let destination = try unused.localAddress()
        let client = try InternetSocket(.tcp, .ipv4)
        let error = failure { () throws(SystemError) in try client.connect(to: destination) }
        #expect(error?.description == "connect: Connection refused (111)")
    }

    @Test("a wait for nothing ends with its time limit")
    func timeLimit() throws {
        let socket = try InternetSocket(.udp, .ipv4, timeLimit: .milliseconds(20))
        try socket.bind(to: address("127.0.0.1:0"))
        let error = failure { () throws(SystemError) in _ = try socket.receive() }
        #expect(error == SystemError(operation: "recvfrom", errno: EAGAIN))
    }
}
