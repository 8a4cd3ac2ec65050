// A document as a tree of plain values: what YAML, JSON or an API object is before anybody knows its kind.

package enum FieldValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([FieldValue])
    case object([String: FieldValue])

    /// The member of an object; nil when absent, null, or when this is not an object.
    package subscript(key: String) -> FieldValue? {
        guard case .object(let members) = self, let value = members[key], value != .null else { return nil }
        return value
    }
}
