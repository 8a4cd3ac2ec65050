// Many elements of a map at a time: batched writes, batched deletes and walks over all elements. Where the kernel has
// no batch operations for a kind of map, the same is done element by element, with the same result and at a higher
// cost.

import CLibBPF
import Glibc

extension BPFMap {
    /// Writes many elements; keys and values belong together by position.
    ///
    /// Not atomic: on an error the elements before the failing one have been written. About 0.4 us an element.
    ///
    /// - Throws: `isFull` when the map has no room; EINVAL when the two arrays differ in length.
    public func update(keys: [Key], values: [Value], mode: UpdateMode = .any) throws(BPFError) {
        guard keys.count == values.count else {
            throw .mismatch("update map", descriptor.label, "\(keys.count) keys came with \(values.count) values")
        }
        guard !keys.isEmpty else { return }
        var count = UInt32(keys.count)
        var options = bpf_map_batch_opts()
        options.sz = MemoryLayout<bpf_map_batch_opts>.size
        options.elem_flags = mode.rawValue
        let code = descriptor.withDescriptor { unsafe bpf_map_update_batch($0, keys, values, &count, &options) }
        if Self.lacksBatches(code) {
            for (key, value) in zip(keys, values) { try update(key, value, mode: mode) }
            return
        }
        try checkBatch(code, "update", done: count, of: keys.count)
    }

    /// Removes many elements.
    ///
    /// - Returns: how many were there. Keys without an element are passed over.
    @discardableResult
    public func delete(keys: [Key]) throws(BPFError) -> Int {
        var removed = 0
        var next = 0
        while next < keys.count {
            var count = UInt32(keys.count - next)
            let code = unsafe keys.withUnsafeBufferPointer { keys in
                descriptor.withDescriptor {
                    unsafe bpf_map_delete_batch($0, keys.baseAddress! + next, &count, nil)
                }
            }
            if Self.lacksBatches(code) { return try removed + deleteSingly(keys[next...]) }
            if code == 0 { return removed + keys.count - next }
            // The kernel stops at the first key that is absent and says how many it removed before it.
            guard code == -ENOENT else {
                try checkBatch(code, "delete", done: count, of: keys.count - next)
                return removed
            }
            removed += Int(count)
            next += Int(count) + 1
        }
        return removed
    }

    private func deleteSingly(_ keys: ArraySlice<Key>) throws(BPFError) -> Int {
        var removed = 0
        for key in keys where try delete(key) { removed += 1 }
        return removed
    }

    /// Calls `body` with every element, in no order.
    ///
    /// Elements that programs or others add or remove meanwhile may or may not be seen; one that is there throughout is
    /// seen, and, where the kernel has no batches for the kind of map, perhaps twice. On an array every index is an
    /// element. Cost: one system call per `batchSize` elements.
    ///
    /// - Parameter batchSize: how many elements to fetch in a system call.
    public func forEach(batchSize: Int = 4096, _ body: (Key, Value) throws(BPFError) -> Void) throws(BPFError) {
        var reader = BatchReader<Key, Value>(batchSize: min(batchSize, Int(maxEntries)))
        while try reader.advance(in: descriptor) {
            for index in 0..<reader.count { try body(reader.key(index), reader.value(index)) }
        }
        guard reader.isUnsupported else { return }
        try forEachSingly(body)
    }

    /// Calls `body` with the elements, some thousands at a time, until it returns false; see ``forEach(batchSize:_:)``
    /// for what is seen. For maps of any size, and for work that fails in ways of its own: memory is that of a batch.
    public func forEachBatch(
        batchSize: Int = 4096, _ body: ([(key: Key, value: Value)]) throws -> Bool
    ) throws {
        var reader = BatchReader<Key, Value>(batchSize: min(batchSize, Int(maxEntries)))
        while try reader.advance(in: descriptor) {
            guard try body((0..<reader.count).map { (reader.key($0), reader.value($0)) }) else { return }
        }
        guard reader.isUnsupported else { return }
        var all: [(key: Key, value: Value)] = []
        try forEachSingly { (key, value) throws(BPFError) in all.append((key, value)) }
        _ = try body(all)
    }

    /// Every element, in no order; see ``forEach(batchSize:_:)``.
    public func entries() throws(BPFError) -> [(key: Key, value: Value)] {
        var all: [(key: Key, value: Value)] = []
        try forEach { (key, value) throws(BPFError) in all.append((key, value)) }
        return all
    }

    /// How many elements there are. The kernel keeps no count: this walks them all.
    public func count() throws(BPFError) -> Int {
        var count = 0
        try forEach { (_, _) throws(BPFError) in count += 1 }
        return count
    }

    /// The walk by successor key. When the current key is removed by someone else the kernel starts again from the
    /// first one, so the number of steps is bounded, or a busy map could hold us for ever.
    func forEachSingly(_ body: (Key, Value) throws(BPFError) -> Void) throws(BPFError) {
        var current: Key?
        for _ in 0..<(2 * Int(maxEntries) + 2) {
            guard let key = try key(after: current) else { return }
            current = key
            if let value = try lookup(key) { try body(key, value) }
        }
    }

    /// The key after another in the kernel's order, or the first; nil at the end.
    private func key(after current: Key?) throws(BPFError) -> Key? {
        let (code, key): (Int32, Key?) = unsafe withUnsafeTemporaryAllocation(of: Key.self, capacity: 1) { out in
            let code = descriptor.withDescriptor { number in
                guard let current else { return unsafe bpf_map_get_next_key(number, nil, out.baseAddress) }
                return unsafe withUnsafePointer(to: current) {
                    unsafe bpf_map_get_next_key(number, $0, out.baseAddress)
                }
            }
            return unsafe (code, code == 0 ? out[0] : nil)
        }
        if code == -ENOENT { return nil }
        try check(code, "walk map", descriptor.label)
        return key
    }

    private func checkBatch(_ code: Int32, _ verb: String, done: UInt32, of count: Int) throws(BPFError) {
        guard code < 0 else { return }
        throw BPFError(
            operation: "\(verb) elements of map", object: descriptor.label, errno: -code,
            detail: code == -EFAULT ? nil : "after \(done) of \(count)")
    }

    /// ENOTSUPP is the answer of kernels from 5.6 for kinds of map without batches; EINVAL that of kernels before.
    static func lacksBatches(_ code: Int32) -> Bool {
        code == -BPFError.kernelNotSupported || code == -EOPNOTSUPP
    }
}
