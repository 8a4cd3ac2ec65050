// The reading end of captured packets (bpf/lib/capture.bpf.h). As with events, the programs hand packets over only while
// somebody asks for them; this type asks, keeps asking, and stops them when it goes away.

package import BPF
import CDatapathABI
import SystemCalls

/// Which packets are captured, and how much of them.
package struct CaptureRequest: Hashable, Sendable {
    /// What has become of them.
    package var outcomes: Set<Outcome>
    /// Ids of services; empty: all. More than `servicesMax` cannot be told apart in the kernel: then all come.
    package var services: Set<UInt32>
    /// Of each packet, at most; at least 1.
    package var snapBytes: UInt32
    /// Of so many packets that are wanted, one is captured.
    package var oneIn: UInt32
    /// For each CPU and loaded program; further ones are counted as lost.
    package var perSecond: UInt32

    package static let snapBytesMax = UInt32(DP_CAPTURE_BYTES_MAX)
    package static let servicesMax = Int(DP_CAPTURE_SERVICES_MAX)

    package init(
        outcomes: Set<Outcome> = Set(Outcome.allCases), services: Set<UInt32> = [],
        snapBytes: UInt32 = snapBytesMax, oneIn: UInt32 = 1, perSecond: UInt32 = 1000
    ) {
        self.outcomes = outcomes
        self.services = services
        self.snapBytes = snapBytes
        self.oneIn = oneIn
        self.perSecond = perSecond
    }

    fileprivate func record(until: UInt64) -> dp_capture_switch {
        var record = dp_capture_switch()
        record.until_ns = until
        record.outcomes = outcomes.reduce(0) { $0 | 1 << UInt64($1.rawValue) }
        record.snap_bytes = snapBytes
        record.one_in = oneIn
        record.per_second = perSecond
        guard services.count <= Self.servicesMax else { return record }
        record.service_count = UInt32(services.count)
        let ids = services.sorted() + Array(repeating: 0, count: Self.servicesMax - services.count)
        record.services = (ids[0], ids[1], ids[2], ids[3], ids[4], ids[5], ids[6], ids[7])
        return record
    }
}

/// Reads the captures of one pin folder. Not for the cooperative pool: reading blocks.
///
/// A ring buffer has one consumer, so a reader takes an exclusive lock on the `links` directory of the pin folder, which
/// dies with the process. A monitor, which reads the events, may run at the same time.
package struct CaptureReader: ~Copyable {
    private var ring: RingBuffer
    private let control: BPFMap<UInt32, dp_capture_switch>
    private let watch: PacketWatch
    /// Of the `links` directory.
    private let lock: OpenDirectory
    package var request: CaptureRequest

    /// How far ahead the switch is pushed each time: how long packets go on being captured for nobody if a reader is
    /// killed.
    private static let reach: UInt64 = 3_000_000_000

    /// Takes the ring, throws away what an earlier reader left in it, and switches capturing on.
    ///
    /// - Throws: `isBeingRead`, or what the kernel refused.
    package init(_ folder: PinFolder, _ request: CaptureRequest) throws(CaptureReaderError) {
        let lock = try Self.lockCaptures(of: folder)
        do {
            let control = try BPFMap<UInt32, dp_capture_switch>.open(pinned: folder.pin(of: .captureSwitch))
            var ring = try RingBuffer(.open(pinned: folder.pin(of: .captures)))
            try ring.poll(timeout: .zero) { _ in }
            let watch = try PacketWatch(folder)
            try Self.push(control, watch, request)
            self.control = control
            self.ring = ring
            self.watch = watch
        } catch {
            throw .kernel(error)
        }
        self.lock = lock
        self.request = request
    }

    deinit {
        _ = try? control.update(0, dp_capture_switch())
        watch.release()
    }

    /// Keeps capturing on for some seconds more, as `request` says now; to be called at least once a second.
    package func keepOn() throws(BPFError) {
        try Self.push(control, watch, request)
    }

    private static func push(
        _ control: borrowing BPFMap<UInt32, dp_capture_switch>, _ watch: borrowing PacketWatch,
        _ request: CaptureRequest
    ) throws(BPFError) {
        let until = MonotonicTime.now_ns() + reach
        try control.update(0, request.record(until: until))
        try watch.keepOn(until: until)
    }

    /// Waits for packets and hands out those that are there, oldest first for each CPU.
    ///
    /// - Parameter timeout: how long to wait for the first one.
    package mutating func poll(timeout: Duration, _ body: (CapturedPacket) -> Void) throws(BPFError) {
        try ring.poll(timeout: timeout, as: dp_capture.self, withBytes: { body(CapturedPacket($0, $1)) })
    }

    private static func lockCaptures(of folder: PinFolder) throws(CaptureReaderError) -> OpenDirectory {
        let directory: OpenDirectory
        do {
            directory = try OpenDirectory("\(folder.path)/links")
        } catch {
            throw .kernel(BPFError("open the pin folder", error))
        }
        do {
            if try directory.tryLock(.exclusive) { return directory }
        } catch {
            throw .kernel(BPFError("lock the captures of", error))
        }
        throw .isBeingRead(pinFolder: folder.path)
    }
}

package enum CaptureReaderError: Error, Sendable {
    case kernel(BPFError)
    /// Another process captures the packets of this pin folder.
    case isBeingRead(pinFolder: String)
}

extension CaptureReaderError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .kernel(let error): error.description
        case .isBeingRead(let folder):
            """
            another martlet capture is reading the packets of \(folder): each packet reaches one reader only, so there \
            can be one at a time; stop it first
            """
        }
    }
}
