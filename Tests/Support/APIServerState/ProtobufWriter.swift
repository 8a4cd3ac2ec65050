// JSON objects as protobuf, byte for byte as Kubernetes' generated Go code writes them: fields in the order of their
// numbers, fields without presence also when they are zero, map entries sorted by key.

package struct ProtobufWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package static func encode(_ json: JSON, as message: Message) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.write(json, as: message)
        return writer.bytes
    }

    package mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    package mutating func integer(_ number: Int, _ value: Int64) {
        varint(UInt64(number << 3))
        varint(UInt64(bitPattern: value))
    }

    package mutating func chunk(_ number: Int, _ content: some Collection<UInt8>) {
        varint(UInt64(number << 3 | 2))
        varint(UInt64(content.count))
        bytes.append(contentsOf: content)
    }

    private mutating func write(_ json: JSON, as message: Message) {
        for field in message.fields.sorted(by: { $0.number < $1.number }) {
            let value = json[field.name] ?? .null
            if value.isNull && field.presence == .pointer { continue }
            write(value, field.number, as: field.type)
        }
    }

    /// A null is written as the zero of its type; as nothing, if that is a list or a map.
    private mutating func write(_ value: JSON, _ number: Int, as type: FieldType) {
        switch type {
        case .string: chunk(number, (value.string ?? "").utf8)
        case .bool: integer(number, value.bool == true ? 1 : 0)
        case .integer: integer(number, value.integer ?? 0)
        case .time, .microTime: chunk(number, Self.time(value))
        case .integerOrString: chunk(number, Self.integerOrString(value))
        case .quantity: chunk(number, Self.wrapped((value.string ?? "0").utf8))
        case .raw: chunk(number, Self.wrapped(value.bytes))
        case .message(let message): chunk(number, Self.encode(value, as: message))
        case .list(let element):
            for value in value.array ?? [] { write(value, number, as: element) }
        case .map(let element):
            for member in (value.object?.members ?? []).sorted(by: { $0.name < $1.name }) {
                var entry = ProtobufWriter()
                entry.chunk(1, member.name.utf8)
                entry.write(member.value, 2, as: element)
                chunk(number, entry.bytes)
            }
        }
    }

    private static func wrapped(_ content: some Collection<UInt8>) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.chunk(1, content)
        return writer.bytes
    }

    private static func time(_ value: JSON) -> [UInt8] {
        guard let text = value.string, let time = Timestamp(text) else { return [] }
        var writer = ProtobufWriter()
        writer.integer(1, time.seconds)
        writer.integer(2, Int64(time.nanoseconds))
        return writer.bytes
    }

    private static func integerOrString(_ value: JSON) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.integer(1, value.string == nil ? 0 : 1)
        writer.integer(2, value.integer ?? 0)
        writer.chunk(3, (value.string ?? "").utf8)
        return writer.bytes
    }
}

/// The frames around protobuf objects.
package enum ProtobufEnvelope {
    package static let magic: [UInt8] = [0x6b, 0x38, 0x73, 0x00]

    /// `k8s\0` and a runtime.Unknown.
    package static func object(apiVersion: String, kind: String, _ content: [UInt8]) -> [UInt8] {
        var type = ProtobufWriter()
        type.chunk(1, apiVersion.utf8)
        type.chunk(2, kind.utf8)
        var unknown = ProtobufWriter()
        unknown.chunk(1, type.bytes)
        unknown.chunk(2, content)
        unknown.chunk(3, [])
        unknown.chunk(4, [])
        return magic + unknown.bytes
    }

    /// A 4-byte big-endian length and a WatchEvent around an object that has its own envelope.
    package static func watchEvent(type: String, object: [UInt8]) -> [UInt8] {
        var raw = ProtobufWriter()
        raw.chunk(1, object)
        var event = ProtobufWriter()
        event.chunk(1, type.utf8)
        event.chunk(2, raw.bytes)
        let length = UInt32(event.bytes.count)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> UInt32($0)) } + event.bytes
    }
}
