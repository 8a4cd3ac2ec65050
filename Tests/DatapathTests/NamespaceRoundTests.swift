// A round through the network namespaces of the machine: one that is in a bad way must not cost the others theirs.

import Datapath
import Glibc
import Netlink
import NetworkTypes
import Testing

@Suite("A round through network namespaces")
struct NamespaceRoundTests {
    private static func failure(_ errno: Int32) -> NetlinkError {
        NetlinkError(operation: "list the UDP sockets of", object: "this network namespace", errno: errno)
    }

    @Test("names the namespaces where something failed, and goes on with the others")
    func failures() {
        var round = NamespaceRound()
        var visited: [Int] = []
        for (number, errno) in [(1, ENOENT), (2, EPERM), (3, 0)] {
            round.visit("net:[\(number)]") { () throws(NetlinkError) in
                number
            } work: { (namespace) throws(NetlinkError) in
                visited.append(namespace)
                guard errno == 0 else { throw Self.failure(errno) }
                return 5
            }
        }
        #expect(visited == [1, 2, 3] && round.count == 5)
        #expect(round.failures.map(\.object) == ["network namespace net:[1]", "network namespace net:[2]"])
        #expect(round.failures.map(\.errno) == [ENOENT, EPERM])
    }

    @Test("passes over namespaces that have gone, and no others")
    func gone() {
        var round = NamespaceRound()
        for errno in [ENOENT, ESRCH, EMFILE] {
            round.visit("net:[1]") { () throws(NetlinkError) -> Int in
                throw Self.failure(errno)
            } work: { _ in
                1
            }
        }
        #expect(round.count == 0 && round.failures.map(\.errno) == [EMFILE])
    }

    @Test("says what the kernel lacks")
    func explained() {
        #expect(Self.failure(ENOENT).explained(.udp).detail?.contains("module udp_diag") == true)
        #expect(Self.failure(ENOENT).explained(.tcp).detail?.contains("module tcp_diag") == true)
        #expect(Self.failure(EOPNOTSUPP).explained(.tcp).detail?.contains("CONFIG_INET_DIAG_DESTROY") == true)
        #expect(Self.failure(EPERM).explained(.tcp) == Self.failure(EPERM))
    }
}
