// The one word that tells the packet hooks whether anybody wants to know more of packets than their counters say. Events
// and captures have switches of their own, which say what is wanted; both push this word forward while they are on.

import BPF
import CDatapathABI
import SystemCalls

struct PacketWatch: ~Copyable {
    private let watch: BPFMap<UInt32, UInt64>
    private let events: BPFMap<UInt32, dp_event_switch>
    private let captures: BPFMap<UInt32, dp_capture_switch>

    init(_ folder: PinFolder) throws(BPFError) {
        let watch = try BPFMap<UInt32, UInt64>.open(pinned: folder.pin(of: .watch))
        let events = try BPFMap<UInt32, dp_event_switch>.open(pinned: folder.pin(of: .eventSwitch))
        let captures = try BPFMap<UInt32, dp_capture_switch>.open(pinned: folder.pin(of: .captureSwitch))
        self.watch = watch
        self.events = events
        self.captures = captures
    }

    /// - Parameter until: CLOCK_MONOTONIC. The hooks do not compare it: it says by when the next push is due.
    func keepOn(until: UInt64) throws(BPFError) {
        try watch.update(0, until)
    }

    /// Switches off, unless another reader's switch is on; to be called when the own one is off. A reader that switches
    /// on at the same moment is heard again from its next push on.
    func release() {
        let now = MonotonicTime.now_ns()
        let others = [(try? events.lookup(0))?.until_ns ?? 0, (try? captures.lookup(0))?.until_ns ?? 0]
        guard others.allSatisfy({ $0 <= now }) else { return }
        _ = try? watch.update(0, 0)
    }
}
