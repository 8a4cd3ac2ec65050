// Structs of the kernel in and out of byte arrays: the one place of this target where memory is looked at as something
// else than what it is. Bounds are checked here; meaning is given by the callers.

extension ArraySlice<UInt8> {
    /// The struct that begins at an offset from the start of the slice; nil if the slice ends before it does.
    func load<Value: BitwiseCopyable>(_ type: Value.Type, at offset: Int = 0) -> Value? {
        guard offset >= 0, MemoryLayout<Value>.size <= count - offset else { return nil }
        return unsafe withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    }

    /// The text up to the first zero.
    var text: String {
        String(decoding: prefix { $0 != 0 }, as: UTF8.self)
    }
}

extension Array<UInt8> {
    /// Appends a struct as it lies in memory, padding included; our kernel structs are zeroed first.
    mutating func append<Value: BitwiseCopyable>(raw value: Value) {
        unsafe Swift.withUnsafeBytes(of: value) { unsafe append(contentsOf: $0) }
    }
}
