// Places of a test's own: a BPF file system, a child cgroup, a network namespace on a thread. Each has a unique name
// and is removed when its owner goes away, failed test or not.

import Foundation
import Glibc

/// Whether this process may do what the kernel suites do; they are skipped otherwise.
package var canUseKernel: Bool { geteuid() == 0 }

/// A name that no other test, in this process or another, uses.
package func uniqueName(_ stem: String) -> String {
    "\(stem)_\(getpid())_\(UInt32.random(in: 0...UInt32.max))"
}

/// What went wrong in the scaffolding of a test, not in what it tests.
package struct SupportError: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }

    static func last(_ what: String) -> SupportError {
        SupportError("\(what): \(unsafe String(cString: strerror(errno)))")
    }
}

/// A BPF file system mounted for one test.
package final class ScratchBPFFileSystem {
    /// An empty directory in it. (The root of each BPF file system holds the kernel's own maps.debug and progs.debug.)
    package let path: String
    private let root: String

    package init() throws {
        root = "/tmp/\(uniqueName("martlet_bpf"))"
        path = root + "/pins"
        guard unsafe mkdir(root, 0o700) == 0 else { throw SupportError.last("make \(root)") }
        guard unsafe mount("bpf", root, "bpf", 0, nil) == 0 else { throw SupportError.last("mount \(root)") }
        guard unsafe mkdir(path, 0o700) == 0 else { throw SupportError.last("make \(path)") }
    }

    deinit {
        _ = unsafe umount2(root, Int32(MNT_DETACH))
        _ = unsafe rmdir(root)
    }
}

/// A child cgroup for one test. It must be empty of processes at the end.
package final class ScratchCGroup {
    package let path: String

    package init(parent: String) throws {
        path = "\(parent)/\(uniqueName("martlet_test"))"
        guard unsafe mkdir(path, 0o755) == 0 else { throw SupportError.last("make \(path)") }
    }

    deinit {
        // The kernel counts a process a little longer than its parent waits for it.
        for _ in 0..<100 where unsafe rmdir(path) != 0 && errno == EBUSY { usleep(10_000) }
    }

    /// Runs a program inside the cgroup and waits for its end.
    ///
    /// - Returns: its exit status.
    package func run(_ command: String) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", "echo $$ > \(path)/cgroup.procs || exit 99; \(command)"]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
