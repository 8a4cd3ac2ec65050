// A datapath of a test's own: real programs on a cgroup of its own, pinned in a folder of its own, everything gone at
// the end. Frontends are written by hand through the store, as the agent's reconciler would.

import BPF
import CDatapathABI
import Datapath
import DatapathImage
import Glibc
import LoadBalancing
import NetworkTypes
import Reconciler
import ServiceModel
import Synchronization
import Testing

/// The kernel suites need root; they are skipped otherwise.
let canUseKernel = geteuid() == 0

func uniqueName(_ stem: String) -> String {
    "martlet-test-\(getpid())-\(stem)-\(UInt32.random(in: 0...UInt32.max))"
}

/// While the doctor has moved this process into a cgroup of its own, no other process must be started from it: the new
/// one would keep that cgroup alive.
enum ProcessPlace {
    static let lock = Mutex(())
}

/// A cgroup without processes, removed at the end.
final class TestCGroup {
    let path: String

    init() throws {
        let root = try #require(try CGroup2.mountPoint())
        path = "\(root)/\(uniqueName("cgroup"))"
        try #require(unsafe mkdir(path, 0o755) == 0)
    }

    deinit { _ = unsafe rmdir(path) }

    /// Runs a line of bash inside the cgroup.
    ///
    /// - Returns: its exit status.
    @discardableResult
    func run(_ line: String) throws -> Int32 {
        try ProcessPlace.lock.withLock { _ in try spawn(line) }
    }

    /// Runs `body` with this process in the cgroup.
    func inside<Result>(_ body: () throws -> Result) throws -> Result {
        try ProcessPlace.lock.withLock { _ in
            let home = try #require(try CGroup2.mountPoint())
            try move(to: path)
            defer { try? move(to: home) }
            return try body()
        }
    }

    private func move(to path: String) throws {
        let descriptor = unsafe open("\(path)/cgroup.procs", O_WRONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        try #require(unsafe write(descriptor, "0", 1) == 1)
    }

    private func spawn(_ line: String) throws -> Int32 {
        var child = pid_t()
        let script = "echo $$ > \(path)/cgroup.procs || exit 99; \(line)"
        let words: [String] = ["bash", "-c", script]
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { unsafe arguments.forEach { unsafe free($0) } }
        try #require(unsafe posix_spawn(&child, "/bin/bash", nil, nil, &arguments, environ) == 0)
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status >> 8 & 0xff
    }
}

/// A folder for state files, removed at the end with what is in it.
final class TestFolder {
    let path = "/tmp/\(uniqueName("state"))"

    deinit {
        for name in (try? BPFFileSystem.entries(at: path)) ?? [] { _ = unsafe unlink("\(path)/\(name)") }
        _ = unsafe rmdir(path)
    }
}

final class TestInstallation {
    let cgroup: TestCGroup
    let folder: PinFolder
    let state = TestFolder()
    /// Held by an agent until nil.
    var datapath: Datapath?
    private var nextWord: UInt32 = 1

    /// - Parameter hostCookie: of the namespace whose sockets count as the node's own.
    init(hostCookie: UInt64 = 0, podsAreLocalIPv6: Bool = true) throws {
        cgroup = try TestCGroup()
        if !BPFFileSystem.isMounted() { try BPFFileSystem.mount() }
        folder = PinFolder(path: "\(BPFFileSystem.conventionalPath)/\(uniqueName("pins"))")
        let sizes = MapSizes(
            frontends: 64, backends: 64, slotWords: 256, services: 16, nodePorts: 16, serviceCIDRs: 8, connections: 64,
            udpPages: 64, affinity: 64, eventBytes: 65536)
        datapath = try Datapath(
            installing: DatapathSettings(
                pinFolder: folder, cgroup: cgroup.path, sizes: sizes, gracePeriod: .milliseconds(500),
                hostNamespaceCookie: hostCookie,
                podsAreLocalIPv6: podsAreLocalIPv6))
    }

    deinit {
        release()
        _ = try? Datapath.cleanUp(folder)
    }

    /// The agent stops. Not while a process is being started from this one, which would hold on to the lock meanwhile.
    func release() {
        ProcessPlace.lock.withLock { _ in datapath = nil }
    }

    func addService(_ id: UInt32, _ name: String, port: String = "", protocol kind: TransportProtocol = .tcp) throws {
        let name = ServicePortName(
            service: ObjectName(namespace: "default", name: name), portName: port, protocol: kind)
        try #require(datapath).writeServices([.init(id: id, record: ServiceRecord(name))])
    }

    func addBackend(_ id: UInt32, _ address: String, protocol kind: TransportProtocol = .tcp) throws {
        let record = BackendRecord(try #require(AddressAndPort(address)), protocol: kind, weight: 1)
        try #require(datapath).writeBackends([.init(id: id, record: record)])
    }

    /// A choice that forwards to a fresh set of these backends.
    func forward(to ids: [UInt32]) throws -> dp_choice {
        let words = stride(from: 0, to: ids.count, by: 2).map { first in
            UInt64(ids[first]) | (first + 1 < ids.count ? UInt64(ids[first + 1]) << 32 : 0)
        }
        var writes = SlotWrites()
        writes.append(words, at: nextWord)
        try #require(datapath).writeSlots(writes)
        defer { nextWord += UInt32(words.count) }
        return dp_choice(
            set_word: nextWord, set_count: UInt32(ids.count), table_word: 0, table_slots: 0, table_width: 0,
            action: UInt8(DP_ACTION_FORWARD.rawValue), pad: 0)
    }

    func choice(_ action: dp_action) -> dp_choice {
        var choice = dp_choice()
        choice.action = UInt8(action.rawValue)
        return choice
    }

    func addFrontend(
        _ key: FrontendKey, service: UInt32, kind: dp_frontend_kind = DP_FRONTEND_CLUSTER_IP,
        flags: [dp_frontend_flags] = [], affinity: UInt32 = 0, internal: dp_choice, external: dp_choice
    ) throws {
        var record = dp_frontend()
        record.service_id = service
        record.affinity_timeout_s = affinity
        record.flags = UInt16(flags.reduce(0) { $0 | $1.rawValue })
        record.kind = UInt8(kind.rawValue)
        record.`internal` = `internal`
        record.external = external
        try #require(datapath).updateFrontends([.init(key: key, record: FrontendRecord(record))])
    }

    func addServiceCIDR(_ range: String) throws {
        try #require(datapath).updateServiceCIDRs([PrefixKey(try #require(CIDR(range)))])
    }

    static func key(_ text: String, _ kind: TransportProtocol = .tcp) throws -> FrontendKey {
        FrontendKey(try #require(AddressAndPort(text)), protocol: kind)
    }
}
