// The reading end of a ring buffer map. It is polled from a thread of the caller's choosing, since polling blocks; what
// the records mean is the caller's business.

import CLibBPF
import Glibc

/// A `BPF_MAP_TYPE_RINGBUF` being read by this process. There should be one reader per ring.
@safe public struct RingBuffer: ~Copyable {
    @safe private final class Sink {
        var deliver: ((UnsafeRawBufferPointer) -> Void)?
    }

    private let ring: OpaquePointer
    private let sink: Sink
    /// The map itself: its facts, its pins.
    public let descriptor: MapDescriptor

    /// Takes the map and maps its pages.
    ///
    /// - Throws: EINVAL when the map is not a ring buffer.
    public init(_ map: consuming MapDescriptor) throws(BPFError) {
        let sink = Sink()
        let context = unsafe Unmanaged.passUnretained(sink).toOpaque()
        let created = unsafe map.withDescriptor { number in
            unsafe ring_buffer__new(
                number,
                { context, data, size in
                    let sink = unsafe Unmanaged<Sink>.fromOpaque(context!).takeUnretainedValue()
                    unsafe sink.deliver?(UnsafeRawBufferPointer(start: data, count: size))
                    return 0
                }, context, nil)
        }
        guard let ring = unsafe created else { throw .last("read the ring buffer", map.label) }
        unsafe self.ring = ring
        self.sink = sink
        self.descriptor = map
    }

    deinit {
        unsafe ring_buffer__free(ring)
    }

    /// Waits until there are records or the time is over, and hands out every record that is there, oldest first.
    /// Blocks: not for the cooperative pool. The bytes are valid during the call of `body` only.
    ///
    /// - Parameter timeout: rounded up to milliseconds; zero does not wait.
    /// - Returns: how many records were handed out.
    @discardableResult
    public mutating func poll(timeout: Duration, _ body: (RawSpan) -> Void) throws(BPFError) -> Int {
        let milliseconds = Self.milliseconds(timeout)
        let code = withoutActuallyEscaping(body) { body in
            unsafe sink.deliver = { unsafe body($0.bytes) }
            defer { unsafe sink.deliver = nil }
            return unsafe ring_buffer__poll(ring, milliseconds)
        }
        if code == -EINTR { return 0 }
        return Int(try check(code, "read the ring buffer", descriptor.label))
    }

    /// As ``poll(timeout:_:)``, for rings whose records all begin with the same struct.
    ///
    /// - Returns: how many records were handed out, and how many were passed over because they are shorter than
    ///   `Record`.
    @discardableResult
    public mutating func poll<Record: BitwiseCopyable>(
        timeout: Duration, as type: Record.Type, _ body: (Record) -> Void
    ) throws(BPFError) -> (delivered: Int, short: Int) {
        var short = 0
        let total = try poll(timeout: timeout) { bytes in
            guard bytes.byteCount >= MemoryLayout<Record>.size else {
                short += 1
                return
            }
            body(unsafe bytes.unsafeLoadUnaligned(as: Record.self))
        }
        return (total - short, short)
    }

    /// As ``poll(timeout:_:)``, for rings whose records begin with the same struct and go on with bytes of their own.
    ///
    /// - Returns: how many records were handed out, and how many were passed over because they are shorter than
    ///   `Record`.
    @discardableResult
    public mutating func poll<Record: BitwiseCopyable>(
        timeout: Duration, as type: Record.Type, withBytes body: (Record, [UInt8]) -> Void
    ) throws(BPFError) -> (delivered: Int, short: Int) {
        var short = 0
        let size = MemoryLayout<Record>.size
        let total = try poll(timeout: timeout) { bytes in
            guard bytes.byteCount >= size else {
                short += 1
                return
            }
            let rest = unsafe bytes.withUnsafeBytes { unsafe Array($0[size...]) }
            body(unsafe bytes.unsafeLoadUnaligned(as: Record.self), rest)
        }
        return (total - short, short)
    }

    private static func milliseconds(_ timeout: Duration) -> Int32 {
        let (seconds, attoseconds) = timeout.components
        guard seconds < 86_400 else { return 86_400_000 }
        return Int32(max(0, seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
    }
}

// One owner; polling needs exclusive access, and the sink is set only during a poll, on the polling thread.
extension RingBuffer: @unchecked Sendable {}
