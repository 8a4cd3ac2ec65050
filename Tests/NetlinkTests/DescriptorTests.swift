// Descriptors are closed once each, after failures too.

import KernelTestSupport
import Netlink
import NetworkTypes
import Testing

@Suite("Netlink descriptors", .enabled(if: canUseKernel))
struct DescriptorTests {
    @Test("Every socket and namespace is closed once, and nothing else is")
    func balance() async {
        await #expect(processExitsWith: .success) {
            openBystanders()
            let bystanders = try openDescriptors()
            try useEverything()
            let before = try openDescriptors()
            try useEverything()
            #expect(bystanders.filter { !before.contains($0) } == [])
            #expect(try openDescriptors() == before)
        }
    }
}

private func useEverything() throws {
    let home = try NetworkNamespace.current()
    _ = try home.cookie()
    var route = try home.run { () throws(NetlinkError) in try RouteSocket() }
    _ = try route.addresses()
    var diagnostics = try SocketDiagnostics()
    _ = try diagnostics.sockets(.tcp)
    var monitor = try AddressMonitor()
    _ = try monitor.next(timeout: .zero)
    for namespace in try NamespaceCensus.take().namespaces { _ = try? namespace.open().inode }
    #expect(throws: NetlinkError.self) { _ = try NetworkNamespace.open("/proc/self/ns/uts").inode }
    #expect(throws: NetlinkError.self) { _ = try NetworkNamespace.open("/proc/self/status").inode }
    #expect(throws: NetlinkError.self) {
        try home.run { () throws(NetlinkError) -> Void in
            throw NetlinkError(operation: "test", object: "x", errno: 7)
        }
    }
}
