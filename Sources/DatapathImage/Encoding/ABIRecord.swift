// A struct of bpf/abi as a Swift value that can be compared and used as a key. The bytes are exactly the C struct's, so
// a map handle may write it as it is. What the fields mean is in the extensions beside this file.

import Glibc

/// Equality is equality of bytes: the structs of bpf/abi have no implicit padding and keep explicit padding zero
/// (bpf/abi/abi.c), so that equal bytes and equal meaning are the same thing, as they are for a kernel hash map.
package struct ABIRecord<Layout: BitwiseCopyable & Sendable>: BitwiseCopyable, Sendable {
    package var fields: Layout

    package init(_ fields: Layout) {
        self.fields = fields
    }

    /// As the map holds them.
    package var bytes: [UInt8] {
        unsafe withUnsafeBytes(of: fields) { unsafe Array($0) }
    }
}

extension ABIRecord: Hashable {
    package static func == (left: Self, right: Self) -> Bool {
        unsafe withUnsafeBytes(of: left.fields) { leftBytes in
            unsafe withUnsafeBytes(of: right.fields) { rightBytes in
                // Both are MemoryLayout<Layout>.size bytes long, which is never zero here.
                guard let a = leftBytes.baseAddress, let b = rightBytes.baseAddress else { return true }
                return unsafe memcmp(a, b, leftBytes.count) == 0
            }
        }
    }

    /// The order of the bytes, which is that of the values where all fields are in network order.
    static func bytesPrecede(_ left: Self, _ right: Self) -> Bool {
        unsafe withUnsafeBytes(of: left.fields) { leftBytes in
            unsafe withUnsafeBytes(of: right.fields) { rightBytes in
                guard let a = leftBytes.baseAddress, let b = rightBytes.baseAddress else { return false }
                return unsafe memcmp(a, b, leftBytes.count) < 0
            }
        }
    }

    package func hash(into hasher: inout Hasher) {
        unsafe withUnsafeBytes(of: fields) { unsafe hasher.combine(bytes: $0) }
    }
}
