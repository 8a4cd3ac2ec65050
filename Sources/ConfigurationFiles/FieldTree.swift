// A tree of plain values that is put together field by field.

import ServiceModel

/// A document under construction.
struct FieldTree {
    private(set) var value: FieldValue

    init(_ value: FieldValue) { self.value = value }

    func value(at path: ArraySlice<String>) -> FieldValue? {
        path.reduce(value as FieldValue?) { value, step in value?[step] }
    }

    mutating func set(_ path: ArraySlice<String>, _ field: FieldValue) {
        guard let first = path.first else {
            value = field
            return
        }
        var members: [String: FieldValue] = [:]
        if case .object(let existing) = value { members = existing }
        var child = FieldTree(members[first] ?? .object([:]))
        child.set(path.dropFirst(), field)
        members[first] = child.value
        value = .object(members)
    }
}
