// Which mount of cgroup2 is the node's tree, from texts of /proc/self/mountinfo.

import BPF
import Testing

@Suite("Where cgroup2 is mounted")
struct CGroupMountTests {
    private struct Case: CustomTestStringConvertible {
        var testDescription: String
        var mounts: [String]
        var found: String?
    }

    private static let cases = [
        Case(testDescription: "nowhere", mounts: ["1 0 0:1 / /proc rw - proc proc rw"], found: nil),
        Case(
            testDescription: "beside cgroup1",
            mounts: [
                "30 20 0:25 / /sys/fs/cgroup rw shared:4 - tmpfs tmpfs rw",
                "31 30 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
            ], found: "/sys/fs/cgroup/unified"),
        Case(
            testDescription: "twice",
            mounts: [
                "31 30 0:26 / /run/martlet/cgroup2 rw - cgroup2 none rw",
                "32 30 0:26 / /sys/fs/cgroup rw - cgroup2 x rw",
            ], found: "/sys/fs/cgroup"),
        Case(
            testDescription: "a part of it alone",
            mounts: ["31 30 0:26 /kubepods /sys/fs/cgroup rw - cgroup2 cgroup2 rw"], found: nil),
        Case(
            testDescription: "the node's tree in a container",
            mounts: ["31 30 0:26 /../../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw"], found: "/sys/fs/cgroup"),
        Case(
            testDescription: "the node's tree over the container's own",
            mounts: [
                "31 30 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw",
                "32 31 0:26 /../.. /sys/fs/cgroup rw - cgroup2 x rw",
            ], found: "/sys/fs/cgroup"),
        Case(
            testDescription: "the node's tree beside the container's own",
            mounts: [
                "31 30 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw",
                "32 31 0:26 /../.. /host/sys/cgroup rw - cgroup2 x rw",
            ], found: "/host/sys/cgroup"),
        Case(
            testDescription: "a relative of the container's own alone",
            mounts: ["31 30 0:26 /../other /sys/fs/cgroup rw - cgroup2 cgroup2 rw"], found: nil),
        Case(
            testDescription: "covered by something else",
            mounts: [
                "31 30 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw",
                "32 31 0:40 / /sys/fs/cgroup rw - tmpfs tmpfs rw",
            ], found: nil),
        Case(
            testDescription: "at a place with a blank",
            mounts: ["31 30 0:26 / /sys/fs/control\\040groups rw - cgroup2 cgroup2 rw"], found: "/sys/fs/control groups"
        ),
    ]

    @Test("is the mount that shows most of the tree", arguments: cases)
    private func place(_ wanted: Case) {
        #expect(CGroup2.mountPoints(in: wanted.mounts.joined(separator: "\n")).first == wanted.found)
    }
}
