// The node's devices are followed for as long as somebody listens: those that come, those that go, and what the node does
// with them, in a network namespace of the test's own.

import Agent
import Glibc
import KernelTestSupport
import Logging
import Netlink
import Synchronization
import Testing

@Suite("Following the node's devices", .enabled(if: canUseKernel), .timeLimit(.minutes(1)))
struct DeviceMonitorTests {
    /// A namespace, and a monitor of it.
    private final class Watched: Sendable {
        let namespace: NetworkNamespace
        let news: AsyncStream<DeviceMonitor.News>

        /// Of the calling thread's namespace.
        private init() throws {
            namespace = try NetworkNamespace.current()
            news = DeviceMonitor(log: Logger(label: "test")).updates()
        }

        static func inNewNamespace() throws -> Watched { try inNewNetworkNamespace { try Watched() } }

        /// Runs `ip` inside.
        func ip(_ commands: String) throws {
            try namespace.run { () throws(NetlinkError) in
                do { try KernelTestSupport.ip(commands) } catch {
                    throw NetlinkError(operation: "run", object: "ip", errno: EINVAL, detail: "\(error)")
                }
            }
        }
    }

    @Test("devices that come and go are told, with their addresses and default routes")
    func hotPlug() async throws {
        let watched = try Watched.inNewNamespace()
        // Each step waits until the list shows what the one before it has done.
        let steps: [(command: String, shows: @Sendable ([NetworkDevice]) -> Bool)] = [
            ("link add left type veth peer name right", { $0.contains { $0.name == "right" } }),
            (
                "addr add 192.0.2.1/24 dev left\nlink set left up\nlink set right up",
                { $0.contains { $0.name == "left" && $0.interface.isUp && !$0.addresses.isEmpty } }
            ),
            ("route add default via 192.0.2.2", { $0.contains { $0.name == "left" && $0.carriesDefaultRoute } }),
            ("route del default", { !$0.contains(where: \.carriesDefaultRoute) }),
            (
                "link add over type bridge\nlink set right master over",
                { devices in
                    let over = devices.first { $0.name == "over" }?.index
                    return over != nil && devices.contains { $0.name == "right" && $0.interface.masterIndex == over }
                }
            ),
            ("route add default dev left", { $0.contains { $0.name == "left" && $0.carriesDefaultRoute } }),
            // The kernel says nothing of the routes that go with it.
            ("link set left down", { !$0.contains(where: \.carriesDefaultRoute) }),
            ("link del left", { $0.map(\.name) == ["lo", "over"] }),
        ]
        var done = 0
        for await news in watched.news {
            guard case .devices(let devices) = news else { continue }
            if done > 0, !steps[done - 1].shows(devices) { continue }
            if done == steps.count { break }
            try watched.ip(steps[done].command)
            done += 1
        }
        #expect(done == steps.count)
    }

    @Test("changes that come together are told together, and nothing is told twice")
    func coalescing() async throws {
        let watched = try Watched.inNewNamespace()
        let pods = 50
        let commands = (0..<pods).map {
            "link add a\($0) type veth peer name b\($0)\nlink set a\($0) up\nlink set b\($0) up"
        }
        var told: [[NetworkDevice]] = []
        for await news in watched.news {
            guard case .devices(let devices) = news else { continue }
            told.append(devices)
            if told.count == 1 { try watched.ip(commands.joined(separator: "\n")) }
            let pairs = devices.filter { $0.interface.kind == "veth" }
            // IPv6 addresses come a little later, when the kernel has probed them.
            if pairs.count == 2 * pods, pairs.allSatisfy({ $0.interface.isUp && !$0.addresses.isEmpty }) { break }
        }
        #expect(told.count < 30, "\(told.count) lists for \(pods) pairs")
        for (one, next) in zip(told, told.dropFirst()) { #expect(one != next) }
    }

    @Test("errors are told, and what comes after them is told anew")
    func recovers() async {
        let attempts = Atomic(0)
        let device = NetworkDevice(interface: NetworkInterface(index: 7, name: "seven"))
        let refusal = NetlinkError(operation: "follow the devices of", object: "a node", errno: ENOMEM)
        let monitor = DeviceMonitor(log: Logger(label: "test"), firstWait: .milliseconds(1)) {
            (isOver, tell) throws(NetlinkError) in
            tell([device])
            tell([device])
            if attempts.add(1, ordering: .relaxed).newValue == 1 { throw refusal }
            while !isOver() { usleep(1000) }
        }
        var news: [DeviceMonitor.News] = []
        for await next in monitor.updates() {
            news.append(next)
            if news.count == 3 { break }
        }
        #expect(news == [.devices([device]), .lost(reason: refusal.description), .devices([device])])
    }
}
