// Brings a JSON object into the shape in which the API server keeps it: members in the order of the type's fields, what
// the type does not have left out, values of the wrong type refused, empty values present or absent as the type says.

package enum Shape {
    package struct Failure: Error, CustomStringConvertible {
        package var field: String
        package var problem: String
        package var description: String { "\(field): \(problem)" }
    }

    package static func shape(_ json: JSON, as message: Message) throws(Failure) -> JSON {
        try shape(json, as: message, at: message.name)
    }

    private static func shape(_ json: JSON, as message: Message, at path: String) throws(Failure) -> JSON {
        let source: JSONObject
        switch json {
        case .object(let object): source = object
        case .null: source = JSONObject()
        case .bool, .integer, .decimal, .string, .array: throw mismatch(path, "an object", json)
        }
        var result = JSONObject()
        for field in message.fields {
            let value = source[field.name] ?? .null
            let place = "\(path).\(field.name)"
            if value.isNull, field.presence == .pointer { continue }
            let shaped = try shape(value, as: field.type, at: place)
            if field.presence == .value, isEmpty(shaped, field.type) { continue }
            let isUnset = if case .array(let elements) = shaped { elements.isEmpty } else { false }
            result.members.append(.init(name: field.name, value: isUnset && value.isNull ? .null : shaped))
        }
        return .object(result)
    }

    private static func isEmpty(_ json: JSON, _ type: FieldType) -> Bool {
        switch json {
        case .null: true
        case .bool(let value): !value
        case .integer(let number): if case .integerOrString = type { false } else { number == 0 }
        case .decimal: false
        case .string(let text): text.isEmpty
        case .array(let elements): elements.isEmpty
        case .object(let object): if case .map = type { object.members.isEmpty } else { false }
        }
    }

    private static func shape(_ json: JSON, as type: FieldType, at path: String) throws(Failure) -> JSON {
        switch (type, json) {
        case (.string, .string), (.bool, .bool), (.integer, .integer), (.quantity, .string), (.raw, _),
            (.integerOrString, .integer), (.integerOrString, .string), (.time, .null), (.microTime, .null),
            (.integerOrString, .null):
            return json
        case (.integer(32), .integer(let number)) where Int32(exactly: number) == nil:
            throw mismatch(path, "a number of 32 bits", json)
        case (.string, .null), (.quantity, .null): return ""
        case (.bool, .null): return false
        case (.integer, .null): return 0
        case (.quantity, .integer(let number)): return .string(String(number))
        case (.time, .string(let text)): return try time(text, fractionDigits: 0, path)
        case (.microTime, .string(let text)): return try time(text, fractionDigits: 6, path)
        case (.message(let message), _): return try shape(json, as: message, at: path)
        case (.list, .null): return .array([])
        case (.list(let element), .array(let values)): return try list(values, element, path)
        case (.map, .null): return .object(JSONObject())
        case (.map(let element), .object(let object)): return try map(object, element, path)
        case (.string, _): throw mismatch(path, "a string", json)
        case (.bool, _): throw mismatch(path, "true or false", json)
        case (.integer, _): throw mismatch(path, "a whole number", json)
        case (.quantity, _): throw mismatch(path, "an amount", json)
        case (.integerOrString, _): throw mismatch(path, "a number or a string", json)
        case (.time, _), (.microTime, _): throw mismatch(path, "a time", json)
        case (.list, _): throw mismatch(path, "a list", json)
        case (.map, _): throw mismatch(path, "an object", json)
        }
    }

    private static func list(_ values: [JSON], _ element: FieldType, _ path: String) throws(Failure) -> JSON {
        var shaped: [JSON] = []
        for (index, value) in values.enumerated() {
            shaped.append(try shape(value, as: element, at: "\(path)[\(index)]"))
        }
        return .array(shaped)
    }

    private static func map(_ object: JSONObject, _ element: FieldType, _ path: String) throws(Failure) -> JSON {
        var shaped = JSONObject()
        for member in object.members.sorted(by: { $0.name < $1.name }) {
            let value = try shape(member.value, as: element, at: "\(path)[\(member.name)]")
            shaped.members.append(.init(name: member.name, value: value))
        }
        return .object(shaped)
    }

    private static func time(_ text: String, fractionDigits: Int, _ path: String) throws(Failure) -> JSON {
        guard let time = Timestamp(text) else { throw Failure(field: path, problem: "\(text) is no RFC 3339 time") }
        return .string(time.text(fractionDigits: fractionDigits))
    }

    private static func mismatch(_ path: String, _ expected: String, _ json: JSON) -> Failure {
        Failure(field: path, problem: "\(expected) is expected, and not \(json.text.prefix(100))")
    }
}
