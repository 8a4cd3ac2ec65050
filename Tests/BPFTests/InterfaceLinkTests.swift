// TCX and XDP links and filters of clsact on interfaces of a network namespace of the test's own.

import BPF
import Glibc
import KernelTestSupport
import Testing

/// The index of `lo` in every network namespace.
private let loopback: UInt32 = 1

@Suite("Interface link", .enabled(if: canUseKernel))
struct InterfaceLinkTests {
    @Test("Two TCX programs both see a packet, and the link's facts name interface and direction")
    func tcx() throws {
        let seen = try inNewNetworkNamespace {
            let object = try TestObject.hooks.load()
            let first = try BPFLink.attach(
                try object.program(named: "count_ingress"), interface: loopback, .tcxIngress)
            let second = try BPFLink.attach(
                try object.program(named: "count_ingress_too"), interface: loopback, .tcxIngress, position: .first)
            #expect(try first.info().target == .tcx(interface: loopback, .tcxIngress))
            try sendPacketToMyself()
            withExtendedLifetime(first) {}
            withExtendedLifetime(second) {}
            return try BPFMap<UInt32, UInt64>(try object.map(named: "hook_counts")).entries().map(\.value)
        }
        #expect(seen[0] == 1)
        #expect(seen[1] == 1)
    }

    @Test("A TCX program goes before or behind those that are there", arguments: [TCXPosition.first, .last])
    func order(position: TCXPosition) throws {
        let seen = try inNewNetworkNamespace {
            let object = try TestObject.hooks.load()
            let counting = try BPFLink.attach(
                try object.program(named: "count_ingress"), interface: loopback, .tcxIngress)
            let ending = try BPFLink.attach(
                try object.program(named: "end_ingress"), interface: loopback, .tcxIngress, position: position)
            try sendPacketToMyself()
            withExtendedLifetime(counting) {}
            withExtendedLifetime(ending) {}
            return try BPFMap<UInt32, UInt64>(try object.map(named: "hook_counts")).entries().map(\.value)
        }
        #expect(seen[0] == (position == .first ? 0 : 1))
        #expect(seen[2] == 1)
    }

    @Test("An XDP program sees a packet; there is room for one link")
    func xdp() throws {
        let seen = try inNewNetworkNamespace {
            let object = try TestObject.hooks.load()
            let program = try object.program(named: "count_xdp")
            let link = try BPFLink.attach(xdp: program, interface: loopback, mode: .generic)
            #expect(try link.info().target == .xdp(interface: loopback))
            let another = failure { () throws(BPFError) in
                _ = try BPFLink.attach(xdp: program, interface: loopback, mode: .generic)
            }
            #expect(another?.errno == EBUSY)
            try sendPacketToMyself()
            withExtendedLifetime(link) {}
            return try BPFMap<UInt32, UInt64>(try object.map(named: "hook_counts")).lookup(2)
        }
        #expect(seen == 1)
    }

    @Test("A missing interface is an error that names it")
    func missingInterface() throws {
        let errors = try inNewNetworkNamespace {
            let object = try TestObject.hooks.load()
            let classifier = try object.program(named: "count_ingress"), xdp = try object.program(named: "count_xdp")
            return [
                failure { () throws(BPFError) in _ = try BPFLink.attach(classifier, interface: 4711, .tcxIngress) },
                failure { () throws(BPFError) in _ = try BPFLink.attach(xdp: xdp, interface: 4711) },
            ]
        }
        for error in errors {
            #expect(try #require(error).errno == ENODEV)
            #expect(try #require(error).description.contains("interface 4711"))
        }
    }

    @Test("A filter of clsact sees a packet, is exchanged, found and removed")
    func filter() throws {
        let seen = try inNewNetworkNamespace {
            let object = try TestObject.hooks.load()
            let first = try object.program(named: "count_ingress")
            let second = try object.program(named: "count_ingress_too")
            let filter = ClassifierFilter(interface: loopback, direction: .ingress, handle: 7, priority: 3)
            #expect(try filter.programID() == nil && !filter.detach())
            try filter.attach(first)
            #expect(try filter.programID() == first.info().id)
            try sendPacketToMyself()
            try filter.attach(second)
            #expect(try filter.programID() == second.info().id)
            try sendPacketToMyself()
            #expect(try filter.detach())
            #expect(try filter.programID() == nil)
            try sendPacketToMyself()
            return try BPFMap<UInt32, UInt64>(try object.map(named: "hook_counts")).entries().map(\.value)
        }
        #expect(seen[0] == 1)
        #expect(seen[1] == 1)
    }

    @Test("Filters stand in the order of their priorities", arguments: [(UInt16(2), UInt64(1)), (8, 0)])
    func priorities(priority: UInt16, seenByOther: UInt64) throws {
        let seen = try inNewNetworkNamespace {
            let object = try TestObject.hooks.load()
            let ending = ClassifierFilter(interface: loopback, direction: .egress, handle: 1, priority: 5)
            let counting = ClassifierFilter(interface: loopback, direction: .egress, handle: 1, priority: priority)
            try ending.attach(try object.program(named: "end_ingress"))
            try counting.attach(try object.program(named: "count_ingress"))
            try sendPacketToMyself()
            return try BPFMap<UInt32, UInt64>(try object.map(named: "hook_counts")).entries().map(\.value)
        }
        #expect(seen[0] == seenByOther)
        #expect(seen[2] == 1)
    }

    @Test("The state of XDP names program and mode", arguments: [XDPMode.generic, .native])
    func xdpState(mode: XDPMode) throws {
        try inNewNetworkNamespace {
            try ip("link add left type veth peer name right")
            let program = try TestObject.hooks.load().program(named: "count_xdp")
            let index = unsafe if_nametoindex("right")
            #expect(try XDPState.query(interface: index).programIDs.isEmpty)
            let link = try BPFLink.attach(xdp: program, interface: index, mode: mode)
            let state = try XDPState.query(interface: index)
            let id = try program.info().id
            #expect(state.native == (mode == .native ? id : nil) && state.generic == (mode == .generic ? id : nil))
            #expect(state.programIDs == [id])
            withExtendedLifetime(link) {}
        }
    }
}

/// One UDP packet to the discard port of 127.0.0.1, in the calling thread's namespace; without an answer, since the
/// sender holds the port itself.
private func sendPacketToMyself() throws {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { _ = close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(9).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    let sent = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            let length = socklen_t(MemoryLayout<sockaddr_in>.size)
            guard unsafe bind(socket, generic, length) == 0 else { return -1 }
            return unsafe sendto(socket, "x", 1, 0, generic, length)
        }
    }
    guard sent == 1 else { throw SupportError("send a packet over lo: \(errno)") }
}
