// What the API's protobuf messages share, as the tree of plain values that JSON gives: the rules of what is valid are
// then read in one place, ServiceModel's decoders. Empty text is left out, as JSON's omitempty does.

import KubernetesMessages
import ServiceModel

/// The members of an object while it is put together.
struct FieldMembers {
    private(set) var members: [String: FieldValue] = [:]

    var value: FieldValue { .object(members) }

    mutating func set(_ key: String, _ value: FieldValue) {
        members[key] = value
    }

    mutating func set(_ key: String, _ text: String) {
        guard !text.isEmpty else { return }
        members[key] = .string(text)
    }

    mutating func set(_ key: String, _ texts: [String]) {
        guard !texts.isEmpty else { return }
        members[key] = .array(texts.map { .string($0) })
    }

    mutating func set<Element>(_ key: String, _ elements: [Element], _ convert: (Element) -> FieldValue) {
        guard !elements.isEmpty else { return }
        members[key] = .array(elements.map(convert))
    }

    mutating func set(_ key: String, _ map: [String: String]) {
        guard !map.isEmpty else { return }
        members[key] = .object(map.mapValues { .string($0) })
    }
}

extension WireObjectMeta {
    var fields: FieldValue {
        var fields = FieldMembers()
        fields.set("name", name)
        fields.set("namespace", namespace)
        fields.set("uid", uid)
        fields.set("resourceVersion", resourceVersion)
        if creationTimestamp.hasSeconds { fields.set("creationTimestamp", creationTimestamp.text) }
        if hasDeletionTimestamp { fields.set("deletionTimestamp", deletionTimestamp.text) }
        fields.set("labels", labels)
        fields.set("annotations", annotations)
        return fields.value
    }
}

extension WireTime {
    /// What is no date says so itself when it is read.
    var text: String { Timestamp.text(secondsSince1970: seconds) ?? "\(seconds) s since 1970" }
}

extension WireAnyObject {
    var fields: FieldValue { .object(["metadata": metadata.fields]) }
}
