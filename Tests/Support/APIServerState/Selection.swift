// Which objects a list or a watch is about, and what a change of an object is to it.

package struct Selection: Sendable {
    package var endpoint: Endpoint
    /// nil for all namespaces.
    package var namespace: String?
    package var labels: LabelSelector
    package var fields: FieldSelector

    package init(
        _ endpoint: Endpoint, namespace: String? = nil, labels: LabelSelector = LabelSelector(),
        fields: FieldSelector = FieldSelector()
    ) {
        self.endpoint = endpoint
        self.namespace = namespace
        self.labels = labels
        self.fields = fields
    }

    /// Whether it narrows more than to a namespace: such lists do not say how much remains.
    package var hasSelector: Bool { !labels.requirements.isEmpty || !fields.terms.isEmpty }

    package func contains(_ object: StoredObject) -> Bool {
        (namespace == nil || namespace == object.key.namespace) && labels.matches(object.labels)
            && (fields.terms.isEmpty || fields.matches(object.form(endpoint)))
    }

    /// An object that leaves the selection is deleted for it, and shown in the last state that it had inside.
    package func event(of change: Change) -> WatchEvent? {
        let before = change.before.flatMap { contains($0) ? $0 : nil }
        let after = change.after.flatMap { contains($0) ? $0 : nil }
        switch (before, after) {
        case (nil, nil): return nil
        case (nil, let after?): return .added(after)
        case (.some, let after?): return .modified(after)
        case (let before?, nil): return .deleted(before.at(change.revision))
        }
    }
}

/// One step in the history of the store.
package struct Change: Sendable {
    package var revision: UInt64
    package var resource: Resource
    package var before: StoredObject?
    package var after: StoredObject?
}

package enum WatchEvent: Sendable {
    case added(StoredObject)
    case modified(StoredObject)
    case deleted(StoredObject)
    case bookmark(revision: UInt64, endsInitialEvents: Bool)
    case error(APIStatus)
}
