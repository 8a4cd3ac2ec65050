// A JSON value that keeps the order of an object's members, as the API server's answers have one, and the difference
// between a member that is null and one that is absent. Numbers with a fraction are kept as they were written.

package indirect enum JSON: Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case decimal(String)
    case string(String)
    case array([JSON])
    case object(JSONObject)
}

package struct JSONObject: Sendable {
    package struct Member: Sendable {
        package var name: String
        package var value: JSON
    }

    package var members: [Member]

    package init(_ members: [Member] = []) {
        self.members = members
    }

    package subscript(name: String) -> JSON? {
        get { members.first { $0.name == name }?.value }
        set {
            let index = members.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }
}

extension JSON {
    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    package var integer: Int64? {
        if case .integer(let number) = self { number } else { nil }
    }

    package var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    package var array: [JSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    package var object: JSONObject? {
        if case .object(let object) = self { object } else { nil }
    }

    package var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// A member of an object; nil when there is none, or when this is no object. Setting a member of something that is
    /// no object makes it one; setting nil removes the member.
    package subscript(name: String) -> JSON? {
        get { object?[name] }
        set {
            var changed = object ?? JSONObject()
            changed[name] = newValue
            self = .object(changed)
        }
    }

    /// The value at a path of member names.
    package func at(_ path: String...) -> JSON? {
        path.reduce(Optional(self)) { value, name in value?[name] }
    }

    /// The strings of a list, without what is no string.
    package var strings: [String] {
        (array ?? []).compactMap(\.string)
    }

    /// The members of an object that are strings, as labels and selectors are.
    package var stringMap: [String: String] {
        var map: [String: String] = [:]
        for member in object?.members ?? [] {
            map[member.name] = member.value.string
        }
        return map
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }

    package init(dictionaryLiteral members: (String, JSON)...) {
        self = .object(JSONObject(members.map { .init(name: $0.0, value: $0.1) }))
    }
}

extension JSON: Equatable {
    /// The order of an object's members does not matter.
    package static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.decimal(let left), .decimal(let right)): left == right
        case (.string(let left), .string(let right)): left == right
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)):
            left.members.count == right.members.count && left.members.allSatisfy { right[$0.name] == $0.value }
        case (.null, _), (.bool, _), (.integer, _), (.decimal, _), (.string, _), (.array, _), (.object, _): false
        }
    }
}
