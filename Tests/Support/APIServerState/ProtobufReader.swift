// Protobuf request bodies as JSON, by the same tables. Fields that a table does not have are left out, as a server
// leaves out what it does not know.

package struct ProtobufReader {
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    private var bytes: ArraySlice<UInt8>

    /// What is in `k8s\0` and a runtime.Unknown: the kind it names, and its content.
    package static func open(_ body: [UInt8]) throws(Failure) -> (apiVersion: String, kind: String, content: [UInt8]) {
        guard body.starts(with: ProtobufEnvelope.magic) else {
            throw Failure(description: "provided data does not appear to be a protobuf message, expected prefix k8s")
        }
        var apiVersion = ""
        var kind = ""
        var content: [UInt8] = []
        try visit(body[4...]) { number, value throws(Failure) in
            switch (number, value) {
            case (1, .chunk(let type)):
                try visit(type) { number, value throws(Failure) in
                    if number == 1 { apiVersion = value.text } else if number == 2 { kind = value.text }
                }
            case (2, .chunk(let raw)): content = Array(raw)
            default: break
            }
        }
        return (apiVersion, kind, content)
    }

    package static func decode(_ bytes: some Sequence<UInt8>, as message: Message) throws(Failure) -> JSON {
        var object = JSONObject()
        try visit(ArraySlice(bytes)) { number, value throws(Failure) in
            guard let field = message.fields.first(where: { $0.number == number }) else { return }
            switch field.type {
            case .list(let element):
                object[field.name] = .array((object[field.name]?.array ?? []) + [try json(value, as: element)])
            case .map(let element):
                var map = object[field.name] ?? .object(JSONObject())
                var key = ""
                var content = JSON.null
                try visit(value.bytes) { number, value throws(Failure) in
                    if number == 1 { key = value.text } else { content = try json(value, as: element) }
                }
                map[key] = content
                object[field.name] = map
            case .string, .bool, .integer, .time, .microTime, .integerOrString, .quantity, .raw, .message:
                let read = try json(value, as: field.type)
                // A zero without presence is what the JSON form leaves out; Shape decides what stays.
                if !read.isNull { object[field.name] = read }
            }
        }
        return .object(object)
    }

    private enum Value {
        case varint(UInt64)
        case chunk(ArraySlice<UInt8>)

        var bytes: ArraySlice<UInt8> { if case .chunk(let bytes) = self { bytes } else { [] } }
        var text: String { String(decoding: bytes, as: UTF8.self) }
        var number: Int64 { if case .varint(let value) = self { Int64(bitPattern: value) } else { 0 } }
    }

    private static func visit(_ bytes: ArraySlice<UInt8>, _ each: (Int, Value) throws(Failure) -> Void) throws(Failure)
    {
        var reader = ProtobufReader(bytes: bytes)
        while !reader.bytes.isEmpty {
            let tag = try reader.varint()
            switch tag & 7 {
            case 0: try each(Int(truncatingIfNeeded: tag >> 3), .varint(try reader.varint()))
            case 1: _ = try reader.take(8)
            case 2: try each(Int(truncatingIfNeeded: tag >> 3), .chunk(try reader.take(try reader.varint())))
            case 5: _ = try reader.take(4)
            default: throw Failure(description: "proto: illegal wireType \(tag & 7)")
            }
        }
    }

    private mutating func varint() throws(Failure) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { throw Failure(description: "unexpected EOF") }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw Failure(description: "proto: integer overflow")
    }

    private mutating func take(_ count: UInt64) throws(Failure) -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.count) else { throw Failure(description: "unexpected EOF") }
        defer { bytes = bytes.dropFirst(Int(count)) }
        return bytes.prefix(Int(count))
    }

    private static func json(_ value: Value, as type: FieldType) throws(Failure) -> JSON {
        switch type {
        case .string: return .string(value.text)
        case .bool: return .bool(value.number != 0)
        case .integer: return .integer(value.number)
        case .time: return try time(value, fractionDigits: 0)
        case .microTime: return try time(value, fractionDigits: 6)
        case .integerOrString: return try integerOrString(value)
        case .quantity: return .string(try wrapped(value))
        case .raw: return (try? JSONParser.parse(try wrapped(value))) ?? .null
        case .message(let message): return try decode(value.bytes, as: message)
        case .list, .map: throw Failure(description: "a list of lists")
        }
    }

    private static func wrapped(_ value: Value) throws(Failure) -> String {
        var text = ""
        try visit(value.bytes) { number, value throws(Failure) in if number == 1 { text = value.text } }
        return text
    }

    private static func time(_ value: Value, fractionDigits: Int) throws(Failure) -> JSON {
        var time = Timestamp(seconds: 0)
        try visit(value.bytes) { number, value throws(Failure) in
            if number == 1 {
                time.seconds = value.number
            } else {
                time.nanoseconds = Int32(truncatingIfNeeded: value.number)
            }
        }
        return value.bytes.isEmpty ? .null : .string(time.text(fractionDigits: fractionDigits))
    }

    private static func integerOrString(_ value: Value) throws(Failure) -> JSON {
        var isString = false
        var number: Int64 = 0
        var text = ""
        try visit(value.bytes) { field, value throws(Failure) in
            switch field {
            case 1: isString = value.number == 1
            case 2: number = value.number
            default: text = value.text
            }
        }
        return isString ? .string(text) : .integer(number)
    }
}
