// Links at real hooks: connect() in a cgroup of the test's own, TCX and XDP on the loopback of a namespace of its own.

import BPF
import Foundation
import Glibc
import KernelTestSupport
import Testing

@Suite("BPF link", .enabled(if: canUseKernel))
struct LinkTests {
    /// Tries to connect to a port of 127.0.0.1 where nobody listens, inside a cgroup. What counts is what the hooks
    /// saw.
    private func connect(in cgroup: ScratchCGroup) throws {
        _ = try cgroup.run("exec 3<>/dev/tcp/127.0.0.1/1")
    }

    private func scratchCGroup() throws -> ScratchCGroup {
        try ScratchCGroup(parent: try #require(try CGroup2.mountPoint()))
    }

    private func counts(_ object: borrowing BPFObject) throws -> [UInt64] {
        try BPFMap<UInt32, UInt64>(try object.map(named: "hook_counts")).entries().map(\.value)
    }

    @Test("An attached program sees connect() until its link goes away")
    func lifetime() throws {
        let cgroup = try scratchCGroup()
        let object = try TestObject.hooks.load()
        do {
            let link = try BPFLink.attach(try object.program(named: "count_connect"), cgroup: cgroup.path, .connect4)
            try connect(in: cgroup)
            withExtendedLifetime(link) {}
        }
        #expect(try counts(object)[0] == 1)
        try connect(in: cgroup)
        #expect(try counts(object)[0] == 1)
    }

    @Test("Two links on one hook live side by side, and both run")
    func sideBySide() throws {
        let cgroup = try scratchCGroup()
        let object = try TestObject.hooks.load()
        let first = try BPFLink.attach(try object.program(named: "count_connect"), cgroup: cgroup.path, .connect4)
        let second = try BPFLink.attach(try object.program(named: "refuse_connect"), cgroup: cgroup.path, .connect4)
        try connect(in: cgroup)
        #expect(try counts(object)[0...1] == [1, 1])
        try second.detach()
        try connect(in: cgroup)
        #expect(try counts(object)[0...1] == [2, 1])
        withExtendedLifetime(first) {}
    }

    @Test("The program of a link is exchanged, and the link's facts follow")
    func update() throws {
        let cgroup = try scratchCGroup()
        let object = try TestObject.hooks.load()
        let first = try object.program(named: "count_connect")
        let second = try object.program(named: "refuse_connect")
        let directory = try CGroup.open(cgroup.path)
        let link = try BPFLink.attach(first, cgroup: directory, .connect4)
        let before = try link.info()
        #expect(try before.programID == first.info().id)
        #expect(before.target == .cgroup(id: directory.id, .connect4))
        try link.update(program: second)
        let after = try link.info()
        #expect(try after.programID == second.info().id)
        #expect(after.id == before.id)
        try connect(in: cgroup)
        #expect(try counts(object)[0...1] == [0, 1])
    }

    @Test("A pinned link outlives its owner, is adopted, updated, and ends with its pin")
    func adoption() throws {
        let (cgroup, files) = (try scratchCGroup(), try ScratchBPFFileSystem())
        let object = try TestObject.hooks.load()
        let path = files.path + "/link"
        try BPFLink.attach(try object.program(named: "count_connect"), cgroup: cgroup.path, .connect4).pin(at: path)
        try connect(in: cgroup)
        #expect(try counts(object)[0] == 1)
        try BPFLink.open(pinned: path).update(program: try object.program(named: "refuse_connect"))
        try connect(in: cgroup)
        #expect(try counts(object)[0...1] == [1, 1])
        #expect(try BPFFileSystem.unpin(path))
        #expect(try BPFFileSystem.unpin(path) == false)
        // The kernel detaches from a work queue when a pin was the last holder, so soon, but not at once.
        var isDetached = false
        let deadline = ContinuousClock.now + .seconds(30)
        while !isDetached && ContinuousClock.now < deadline {
            let before = try counts(object)[1]
            try connect(in: cgroup)
            isDetached = try counts(object)[1] == before
        }
        #expect(isDetached)
    }

    @Test("A program for another hook is refused")
    func wrongHook() throws {
        let cgroup = try scratchCGroup()
        let program = try TestObject.hooks.load().program(named: "count_connect")
        let error = failure { () throws(BPFError) in
            _ = try BPFLink.attach(program, cgroup: cgroup.path, .connect6)
        }
        #expect(try #require(error).errno == EINVAL)
        #expect(try #require(error).description.contains(cgroup.path))
    }

    @Test("A directory that is no cgroup is refused")
    func notACGroup() throws {
        #expect(try #require(failure { () throws(BPFError) in _ = try CGroup.open("/tmp") }).errno == EINVAL)
        #expect(try #require(failure { () throws(BPFError) in _ = try CGroup.open("/no/such") }).isNotFound)
    }

    @Test("A program compares the caller with a cgroup from an array")
    func cgroupArray() throws {
        let (inside, outside) = (try scratchCGroup(), try scratchCGroup())
        let object = try TestObject.hooks.load()
        let program = try object.program(named: "compare_cgroup")
        let first = try BPFLink.attach(program, cgroup: inside.path, .connect4)
        let second = try BPFLink.attach(program, cgroup: outside.path, .connect4)
        try CGroupArray(try object.map(named: "hook_cgroups")).set(0, to: try CGroup.open(inside.path))
        try connect(in: inside)
        try connect(in: outside)
        #expect(try counts(object)[2...3] == [1, 1])
        withExtendedLifetime(first) {}
        withExtendedLifetime(second) {}
    }
}
