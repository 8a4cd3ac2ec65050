// One loading of the programs that are measured: where the kernel puts their code differs from load to load, and with it
// their speed.

import BPF
import CBench
import Datapath
import FoundationEssentials

/// The bench's own programs, and a script that they follow.
final class PacketPrologue {
    /// What the prologue is followed by.
    enum Part: String, CaseIterable {
        case empty, floor, subject
    }

    private let prologue: BPFProgram
    private let empty: BPFProgram
    private let floor: BPFProgram
    private let next: ProgramArray
    private let script: BPFMap<UInt32, bench_script>
    private let tuples: BPFMap<UInt32, bench_tuple>

    init() throws(BPFError) {
        let image = unsafe UnsafeRawBufferPointer(start: bench_packet_object(), count: bench_packet_object_size())
        var object = try unsafe BPFObject(name: "packet", image: image)
        try object.load()
        let prologue = try object.program(named: "packet_prologue")
        let empty = try object.program(named: "packet_empty")
        let floor = try object.program(named: "packet_floor")
        let next = try ProgramArray(object.map(named: "subject"))
        let script = try BPFMap<UInt32, bench_script>(object.map(named: "script"))
        self.tuples = try BPFMap<UInt32, bench_tuple>(object.map(named: "tuples"))
        self.prologue = prologue
        self.empty = empty
        self.floor = floor
        self.next = next
        self.script = script
    }

    func follow(_ order: bench_script) throws(BPFError) { try script.update(0, order) }

    func setTuples(_ list: [bench_tuple]) throws(BPFError) {
        try tuples.update(keys: list.indices.map { UInt32($0) }, values: list)
    }

    /// - Parameter subject: what runs as ``Part/subject``.
    func put(_ part: Part, subject: borrowing BPFProgram) throws(BPFError) {
        switch part {
        case .empty: try next.set(0, to: empty)
        case .floor: try next.set(0, to: floor)
        case .subject: try next.set(0, to: subject)
        }
    }

    func run(_ frame: [UInt8], _ context: [UInt8], times: Int) throws(BPFError) -> TestRunResult {
        try prologue.testRun(packet: frame, repeat: times, context: context)
    }

    /// Sends frames out of an interface of the calling thread's network namespace, as the program that was put says.
    ///
    /// - Returns: how long that took.
    func send(_ frame: [UInt8], times: Int) throws(BPFError) -> Duration {
        let liveFrames: UInt32 = 1 << 1
        let began = ContinuousClock.now
        _ = try prologue.testRun(packet: frame, repeat: times, outputCapacity: 0, flags: liveFrames)
        return ContinuousClock.now - began
    }

    /// The empty program without anything before it: what a test run itself costs.
    func runBare(_ frame: [UInt8], _ context: [UInt8], times: Int) throws(BPFError) -> TestRunResult {
        try empty.testRun(packet: frame, repeat: times, context: context)
    }
}

/// The XDP program on the maps of a pin folder: the shipped one, or that of another object file.
final class PacketSubject {
    let program: BPFProgram
    /// Of another one nothing is expected: parts of it may be switched off.
    let isShipped: Bool

    init(_ folder: PinFolder, object path: String?) throws {
        var object = try Self.open(path)
        var sizes: [MapName: UInt32] = [:]
        for map in DatapathObject.nodePortXDP.maps(of: object) {
            let pinned = try MapDescriptor.open(pinned: folder.pin(of: map))
            let size = try pinned.info().maxEntries
            try object.setMaxEntries(map: map.rawValue, size)
            sizes[map] = size
            try object.reuse(map: map.rawValue, pinned)
        }
        try FrontendIndex.setConstants(
            of: &object, buckets: sizes[.frontendIndex] ?? 1, places: sizes[.frontendRecords] ?? 1)
        try object.load()
        isShipped = path == nil
        program = try object.program(named: "martlet_nodeport_xdp")
    }

    private static func open(_ path: String?) throws -> BPFObject {
        guard let path else { return try DatapathObject.nodePortXDP.open() }
        let image = try Data(contentsOf: URL(filePath: path))
        return try BPFObject(name: path, image: Array(image).span)
    }
}
