// The reading end of the datapath's events. Programs send events only while somebody asks for them, and only so many a
// second; this type asks, keeps asking, and stops the flow when it goes away. What the events mean is not decided here.

package import BPF
import CDatapathABI
import SystemCalls

package enum EventReaderError: Error, Sendable {
    case kernel(BPFError)
    /// Another process reads the events of this pin folder.
    case isBeingRead(pinFolder: String)
}

extension EventReaderError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .kernel(let error): error.description
        case .isBeingRead(let folder):
            """
            another martlet monitor is reading the events of \(folder): each event reaches one reader only, so there \
            can be one at a time; stop it first
            """
        }
    }
}

/// Reads the events of one pin folder. Not for the cooperative pool: reading blocks.
///
/// A ring buffer has one consumer: two would each see a part of the events. So a reader takes an exclusive lock on the
/// `maps` directory of the pin folder (the folder itself is the agent's to lock), which dies with the process.
package struct EventReader: ~Copyable {
    private var ring: RingBuffer
    private let control: BPFMap<UInt32, dp_event_switch>
    private let watch: PacketWatch
    /// Of the `maps` directory.
    private let lock: OpenDirectory
    private let perSecond: UInt32

    /// How far ahead the switch is pushed each time: how long events go on being made for nobody if a reader is killed.
    private static let reach: UInt64 = 3_000_000_000

    /// Takes the ring, throws away what an earlier reader left in it, and switches the events on.
    ///
    /// - Parameter perSecond: the most events for each CPU and second; further ones are counted as lost.
    /// - Throws: `isBeingRead`, or what the kernel refused.
    package init(_ folder: PinFolder, perSecond: UInt32) throws(EventReaderError) {
        let lock = try Self.lockEvents(of: folder)
        do {
            let control = try BPFMap<UInt32, dp_event_switch>.open(pinned: folder.pin(of: .eventSwitch))
            var ring = try RingBuffer(.open(pinned: folder.pin(of: .events)))
            try ring.poll(timeout: .zero) { _ in }
            let watch = try PacketWatch(folder)
            try Self.push(control, perSecond)
            try watch.keepOn(until: Self.now() + Self.reach)
            self.control = control
            self.watch = watch
            self.ring = ring
        } catch {
            throw .kernel(error)
        }
        self.lock = lock
        self.perSecond = perSecond
    }

    deinit {
        _ = try? control.update(0, dp_event_switch(until_ns: 0, per_second: 0, pad: 0))
        watch.release()
    }

    /// Keeps the events on for some seconds more; to be called at least once a second.
    package func keepOn() throws(BPFError) {
        try Self.push(control, perSecond)
        try watch.keepOn(until: Self.now() + Self.reach)
    }

    private static func push(
        _ control: borrowing BPFMap<UInt32, dp_event_switch>, _ perSecond: UInt32
    ) throws(BPFError) {
        try control.update(0, dp_event_switch(until_ns: now() + reach, per_second: perSecond, pad: 0))
    }

    /// Waits for events and hands out those that are there, oldest first for each CPU.
    ///
    /// - Parameter timeout: how long to wait for the first one.
    package mutating func poll(timeout: Duration, _ body: (DatapathEvent) -> Void) throws(BPFError) {
        try ring.poll(timeout: timeout, as: dp_event.self) { body(DatapathEvent($0)) }
    }

    /// CLOCK_MONOTONIC in nanoseconds, the clock of events.
    package static func now() -> UInt64 {
        MonotonicTime.now_ns()
    }

    /// Makes its holder the only reader of a pin folder's events.
    private static func lockEvents(of folder: PinFolder) throws(EventReaderError) -> OpenDirectory {
        let path = "\(folder.path)/maps"
        let directory: OpenDirectory
        do {
            directory = try OpenDirectory(path)
        } catch {
            throw .kernel(BPFError("open the pin folder", error))
        }
        do {
            if try directory.tryLock(.exclusive) { return directory }
        } catch {
            throw .kernel(BPFError("lock the events of", error))
        }
        throw .isBeingRead(pinFolder: folder.path)
    }
}
