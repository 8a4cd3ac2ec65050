// Reading and writing numbers in network order. Reading returns nil at the end instead of trapping: packets may be cut
// anywhere.

struct ByteReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: some Sequence<UInt8>) {
        rest = Array(bytes)[...]
    }

    mutating func take(_ count: Int) -> [UInt8]? {
        guard count >= 0, count <= rest.count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func takeRest() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }

    mutating func integer<Value: FixedWidthInteger>(_: Value.Type = Value.self) -> Value? {
        take(Value.bitWidth / 8).map(Value.init(networkOrder:))
    }
}

extension FixedWidthInteger {
    init(networkOrder bytes: some Sequence<UInt8>) {
        self = bytes.reduce(0) { $0 << 8 | Self(truncatingIfNeeded: $1) }
    }

    var networkOrder: [UInt8] {
        stride(from: Self.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> Self($0)) }
    }
}

extension [UInt8] {
    mutating func append(_ value: some FixedWidthInteger) {
        append(contentsOf: value.networkOrder)
    }

    mutating func set(_ value: UInt16, at offset: Int) {
        self[offset] = UInt8(value >> 8)
        self[offset + 1] = UInt8(value & 255)
    }

    func integer<Value: FixedWidthInteger>(at offset: Int, as: Value.Type = Value.self) -> Value {
        Value(networkOrder: self[offset..<(offset + Value.bitWidth / 8)])
    }

    /// With zeros at the end, so that the count is a multiple of `unit`.
    func padded(toMultipleOf unit: Int) -> [UInt8] {
        self + [UInt8](repeating: 0, count: (unit - count % unit) % unit)
    }

    var hex: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension FixedWidthInteger {
    /// 0x and all the digits of the width.
    var hex: String { "0x" + networkOrder.hex }
}
