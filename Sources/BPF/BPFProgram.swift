// One loaded program: its facts, its statistics, its pins, and test runs. Where it is attached is a `BPFLink`'s
// business.

import CLibBPF
import Glibc

/// What the kernel says about one program.
public struct ProgramInfo: Sendable, Equatable {
    /// The kernel's number for the program, unique while it lives.
    public let id: UInt32
    public let type: ProgramType
    /// The name in the kernel: at most 15 characters.
    public let name: String
    /// The kernel's digest of the instructions, as 16 hexadecimal digits.
    public let tag: String
    /// The numbers of the maps that the program uses, in no order.
    public let mapIDs: [UInt32]
    /// Nanoseconds spent in the program, and how often it ran; both zero unless statistics are on
    /// (``RuntimeStatistics``, or the sysctl `kernel.bpf_stats_enabled`).
    public let runTime: Duration
    public let runCount: UInt64
    /// Runs that the kernel skipped to prevent recursion.
    public let recursionMisses: UInt64
    /// How many instructions the verifier went through.
    public let verifiedInstructions: UInt32
    /// The size of the program as the verifier left it, and of the machine code made of it; the latter is zero where the
    /// kernel interprets programs. In bytes.
    public let translatedBytes: UInt32
    public let machineCodeBytes: UInt32
}

/// An owned descriptor of a loaded program.
public struct BPFProgram: ~Copyable, Sendable {
    private let descriptor: Descriptor
    /// How errors name the program.
    public let label: String

    init(_ descriptor: consuming Descriptor, label: String) {
        self.descriptor = descriptor
        self.label = label
    }

    /// Opens the program that is pinned at a path.
    ///
    /// - Throws: `isNotFound` when there is no pin; EINVAL when the pin holds something other than a program.
    public static func open(pinned path: String) throws(BPFError) -> BPFProgram {
        let descriptor = try Descriptor(adopting: unsafe bpf_obj_get(path), "open the program pinned at", path)
        try descriptor.require(.program, "open the program pinned at", path)
        return BPFProgram(descriptor, label: path)
    }

    /// Opens a program by the number that the kernel gave it.
    public static func open(id: UInt32) throws(BPFError) -> BPFProgram {
        let descriptor = try Descriptor(adopting: bpf_prog_get_fd_by_id(id), "open program", "number \(id)")
        return BPFProgram(descriptor, label: "number \(id)")
    }

    /// Makes the program outlive this process under a name in a BPF file system.
    ///
    /// - Throws: `isExists` when the name is taken; ``AtomicPin`` replaces.
    public func pin(at path: String) throws(BPFError) {
        try check(descriptor.withNumber { unsafe bpf_obj_pin($0, path) }, "pin program \(label) at", path)
    }

    /// Another owner of the same program.
    public func duplicate() throws(BPFError) -> BPFProgram {
        BPFProgram(try descriptor.duplicate("program \(label)"), label: label)
    }

    /// What the kernel says about the program.
    public func info() throws(BPFError) -> ProgramInfo {
        // The kernel fills in as many map numbers as there is room for; a program uses at most 64 maps.
        var maps = [UInt32](repeating: 0, count: 64)
        var info = bpf_prog_info()
        var size = UInt32(MemoryLayout<bpf_prog_info>.size)
        let code = unsafe maps.withUnsafeMutableBufferPointer { maps in
            info.map_ids = UInt64(UInt(bitPattern: maps.baseAddress))
            info.nr_map_ids = UInt32(maps.count)
            return descriptor.withNumber { unsafe bpf_obj_get_info_by_fd($0, &info, &size) }
        }
        try check(code, "read the facts of program", label)
        return ProgramInfo(info, maps: Array(maps.prefix(Int(info.nr_map_ids))))
    }

    /// Lends the bare descriptor for one call into the kernel; for code inside this package that has no typed way.
    /// The number must not outlive the closure.
    package func withDescriptor<Result: ~Copyable, Failure: Error>(
        _ body: (Int32) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try descriptor.withNumber(body)
    }
}

extension ProgramInfo {
    fileprivate init(_ info: bpf_prog_info, maps: [UInt32]) {
        let digits = Array("0123456789abcdef")
        let tag = unsafe withUnsafeBytes(of: info.tag) { bytes in
            unsafe String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
        }
        self.init(
            id: info.id, type: ProgramType(rawValue: info.type), name: kernelName(info.name), tag: tag, mapIDs: maps,
            runTime: .nanoseconds(info.run_time_ns), runCount: info.run_cnt, recursionMisses: info.recursion_misses,
            verifiedInstructions: info.verified_insns, translatedBytes: info.xlated_prog_len,
            machineCodeBytes: info.jited_prog_len)
    }
}

/// Switches the kernel's run-time statistics on for as long as the value lives (`BPF_ENABLE_STATS`).
/// They cost each program run some tens of nanoseconds.
public struct RuntimeStatistics: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// - Throws: `isPermission` without CAP_SYS_ADMIN.
    public init() throws(BPFError) {
        descriptor = try Descriptor(
            adopting: bpf_enable_stats(BPF_STATS_RUN_TIME), "enable run-time statistics of", "BPF programs")
    }
}
