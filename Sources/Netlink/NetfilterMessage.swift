// What all messages of netfilter's subsystems have in common: a header with a family, and numbers in network order.

import CLibMNL

extension NetlinkRequest {
    /// - Parameters:
    ///   - subsystem: `NFNL_SUBSYS_…`.
    ///   - resource: what nfgenmsg calls `res_id`; the subsystem of a batch.
    init(netfilter subsystem: Int32, _ message: UInt32, family: UInt8, flags: Int32 = 0, resource: UInt16 = 0) {
        var payload = nfgenmsg()
        payload.nfgen_family = family
        payload.version = UInt8(NFNETLINK_V0)
        payload.res_id = resource.bigEndian
        self.init(type: UInt16(subsystem << 8) | UInt16(message), flags: UInt16(flags), payload: payload)
    }

    mutating func append(_ type: some BinaryInteger, text: String) {
        appendAttribute(UInt16(type), Array(text.utf8) + [0])
    }

    mutating func append<Number: FixedWidthInteger & BitwiseCopyable>(_ type: some BinaryInteger, number: Number) {
        appendAttribute(UInt16(type), Self.bytes(of: number))
    }

    /// An attribute that holds attributes.
    mutating func append(_ type: some BinaryInteger, nested: NestedAttributes) {
        appendAttribute(UInt16(type) | UInt16(NLA_F_NESTED), nested.bytes)
    }

    fileprivate static func bytes<Number: FixedWidthInteger & BitwiseCopyable>(of number: Number) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(raw: number.bigEndian)
        return bytes
    }
}

/// Attributes within an attribute.
struct NestedAttributes {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ type: some BinaryInteger, _ value: [UInt8]) {
        bytes.append(raw: UInt16(4 + value.count))
        bytes.append(raw: UInt16(type))
        bytes += value
        while !bytes.count.isMultiple(of: 4) { bytes.append(0) }
    }

    mutating func append(_ type: some BinaryInteger, text: String) { append(type, Array(text.utf8) + [0]) }

    mutating func append<Number: FixedWidthInteger & BitwiseCopyable>(_ type: some BinaryInteger, number: Number) {
        append(type, NetlinkRequest.bytes(of: number))
    }

    mutating func append(_ type: some BinaryInteger, nested: NestedAttributes) {
        append(UInt16(type) | UInt16(NLA_F_NESTED), nested.bytes)
    }
}

extension ArraySlice<UInt8> {
    /// A number in network order; nil if the slice is shorter.
    func number<Number: FixedWidthInteger & BitwiseCopyable>(_ type: Number.Type) -> Number? {
        load(Number.self).map { Number(bigEndian: $0) }
    }
}
