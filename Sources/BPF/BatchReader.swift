// The kernel's batched look-up as a loop: an opaque cursor, a buffer of keys and values, and the growth of the buffer
// when one bucket of a hash does not fit. What is done with the elements is up to the map views.

import CLibBPF
import Glibc

/// Fetches a map's elements a batch at a time.
@safe struct BatchReader<Key: BitwiseCopyable, Value: BitwiseCopyable>: ~Copyable {
    private enum State { case start, middle, done }

    private var state = State.start
    private var capacity: Int
    private var keys: UnsafeMutablePointer<Key>
    private var values: UnsafeMutablePointer<Value>
    /// The kernel's place in the map: four bytes for hashes and arrays, a whole key for others.
    private var cursor: [UInt8]
    /// How many elements the last advance fetched.
    private(set) var count = 0
    /// True once the kernel has said that this kind of map has no batches; nothing was fetched then.
    private(set) var isUnsupported = false

    init(batchSize: Int) {
        capacity = max(batchSize, 1)
        unsafe keys = .allocate(capacity: capacity)
        unsafe values = .allocate(capacity: capacity)
        cursor = [UInt8](repeating: 0, count: max(MemoryLayout<Key>.size, 8))
    }

    deinit {
        unsafe keys.deallocate()
        unsafe values.deallocate()
    }

    /// The key at a position below `count`.
    func key(_ index: Int) -> Key {
        precondition(index < count)
        return unsafe keys[index]
    }

    /// The value at a position below `count`.
    func value(_ index: Int) -> Value {
        precondition(index < count)
        return unsafe values[index]
    }

    /// Fetches the next elements.
    ///
    /// - Returns: false when there are no more, or no batches at all (`isUnsupported`).
    mutating func advance(in map: borrowing MapDescriptor) throws(BPFError) -> Bool {
        count = 0
        while state != .done {
            var fetched = UInt32(capacity)
            var next = cursor
            let isFirst = state == .start
            let (keys, values) = unsafe (keys, values)
            let code = unsafe cursor.withUnsafeMutableBytes { place in
                map.withDescriptor { number in
                    unsafe bpf_map_lookup_batch(
                        number, isFirst ? nil : place.baseAddress, &next, keys, values, &fetched, nil)
                }
            }
            if code == -ENOSPC {
                grow()
                continue
            }
            if BPFMap<Key, Value>.lacksBatches(code) {
                (isUnsupported, state) = (isFirst, .done)
                return false
            }
            if code != -ENOENT { try check(code, "read elements of map", map.label) }
            (cursor, state) = (next, code == -ENOENT ? .done : .middle)
            count = Int(fetched)
            if count > 0 { return true }
        }
        return false
    }

    /// A bucket of the hash holds more elements than the buffer: make it larger and ask for the same place again.
    private mutating func grow() {
        unsafe keys.deallocate()
        unsafe values.deallocate()
        capacity *= 2
        unsafe keys = .allocate(capacity: capacity)
        unsafe values = .allocate(capacity: capacity)
    }
}
