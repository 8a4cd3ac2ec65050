// Opening, entering, naming and finding network namespaces.

import CLibMNL
import Foundation
import Glibc
import KernelTestSupport
import Testing

@testable import Netlink

@Suite("Network namespace", .enabled(if: canUseKernel))
struct NamespaceTests {
    @Test("Work runs inside the namespace, and the caller's thread stays where it is")
    func runInside() throws {
        let (home, other, inside, after) = try onOwnThread {
            let home = try NetworkNamespace.current()
            guard unshare(Int32(CLONE_NEWNET)) == 0 else { throw SupportError("unshare") }
            let other = try NetworkNamespace.current()
            let inside = try home.run { () throws(NetlinkError) in try NetworkNamespace.current().inode }
            return (home.inode, other.inode, inside, try NetworkNamespace.current().inode)
        }
        #expect(home != other)
        #expect(inside == home)
        #expect(after == other)
    }

    @Test("Each namespace has a cookie of its own, the same each time")
    func cookies() throws {
        let home = try NetworkNamespace.current()
        let other = try inNewNetworkNamespace { try NetworkNamespace.current().cookie() }
        #expect(try home.cookie() == home.cookie())
        #expect(try home.cookie() != other)
        #expect(other != 0)
    }

    @Test("A socket that was opened inside answers for that namespace")
    func socketsStayInside() throws {
        let names = try inNewNetworkNamespace {
            try ip("link add inner7 type bridge")
            let namespace = try NetworkNamespace.current()
            return try onOwnThreadOutside(namespace)
        }
        #expect(names.contains("inner7"))
        var outside = try RouteSocket()
        #expect(try !outside.interfaces().map(\.name).contains("inner7"))
    }

    private func onOwnThreadOutside(_ namespace: borrowing NetworkNamespace) throws -> [String] {
        var route = try namespace.run { () throws(NetlinkError) in try RouteSocket() }
        return try route.interfaces().map(\.name)
    }

    @Test("What is no network namespace is refused", arguments: ["/proc/self/ns/uts", "/proc/self/status"])
    func refused(path: String) {
        let error = #expect(throws: NetlinkError.self) { _ = try NetworkNamespace.open(path).inode }
        #expect(error?.errno == EINVAL)
        #expect(error?.description.contains(path) == true)
    }

    @Test("A missing namespace is not found")
    func missing() {
        let error = #expect(throws: NetlinkError.self) { _ = try NetworkNamespace.open("/run/netns/no_such").inode }
        #expect(error?.isNotFound == true)
    }

    @Test("What a body throws comes out")
    func bodyThrows() throws {
        let home = try NetworkNamespace.current()
        let mine = NetlinkError(operation: "test", object: "x", errno: 7)
        let error = #expect(throws: NetlinkError.self) {
            try home.run { () throws(NetlinkError) -> Void in throw mine }
        }
        #expect(error == mine)
    }

    @Test("The census finds this process's namespace once, and opens it again")
    func ownNamespace() throws {
        let home = try NetworkNamespace.current().inode
        let census = try NamespaceCensus.take()
        let mine = census.namespaces.filter { $0.inode == home }
        #expect(mine.count == 1)
        #expect(try #require(mine.first).open().inode == home)
    }

    @Test("The census finds a namespace that only a mount keeps")
    func mountedNamespace() throws {
        let name = uniqueName("martlet-nl")
        try ip("netns add \(name)")
        defer { try? ip("netns del \(name)") }
        let inode = try NetworkNamespace.open("/run/netns/\(name)").inode
        let reference = try #require(try NamespaceCensus.take().namespaces.first { $0.inode == inode })
        #expect(reference.paths.contains { $0.hasSuffix("/netns/\(name)") })
        #expect(try reference.open().inode == inode)
    }

    @Test("A namespace that is gone is not found, even if its path leads to another")
    func staleReference() throws {
        let name = uniqueName("martlet-nl")
        try ip("netns add \(name)")
        let inode = try NetworkNamespace.open("/run/netns/\(name)").inode
        let reference = try #require(try NamespaceCensus.take().namespaces.first { $0.inode == inode })
        // Another namespace under the same name, while the old one is still held open.
        let old = try NetworkNamespace.open("/run/netns/\(name)")
        try ip("netns del \(name)\nnetns add \(name)")
        defer { try? ip("netns del \(name)") }
        #expect(try NetworkNamespace.open("/run/netns/\(name)").inode != old.inode)
        let error = #expect(throws: NetlinkError.self) { _ = try reference.open().inode }
        #expect(error?.isNotFound == true)
    }
}
