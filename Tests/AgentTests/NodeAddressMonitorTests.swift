// The node's addresses are followed for as long as somebody listens, whatever the kernel says in between.

import Agent
import Glibc
import Logging
import Netlink
import NetworkTypes
import Synchronization
import Testing

@Suite("Following the node's addresses")
struct NodeAddressMonitorTests {
    private static let refusal = NetlinkError(operation: "follow the addresses of", object: "a node", errno: ENOMEM)

    @Test(
        "goes on after errors, says that they went unnoticed meanwhile, and tells all of them anew",
        .timeLimit(.minutes(1)))
    func recovers() async {
        let attempts = Atomic(0)
        let one = IPAddress(ipv4: 0xc000_0201), two = IPAddress(ipv4: 0xc000_0202)
        let monitor = NodeAddressMonitor(log: Logger(label: "test"), firstWait: .milliseconds(1)) {
            (isOver, tell) throws(NetlinkError) in
            switch attempts.add(1, ordering: .relaxed).newValue {
            case 1:
                for list in [[one], [one], [one, two]] { tell(list) }
                throw Self.refusal
            case 2: throw Self.refusal
            default:
                tell([one, two])
                while !isOver() { usleep(1000) }
            }
        }
        var news: [NodeAddressMonitor.News] = []
        for await next in monitor.updates() {
            news.append(next)
            if news.count == 5 { break }
        }
        let lost = NodeAddressMonitor.News.lost(reason: Self.refusal.description)
        #expect(news == [.addresses([one]), .addresses([one, two]), lost, lost, .addresses([one, two])])
    }
}
