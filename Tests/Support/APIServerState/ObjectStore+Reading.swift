// Lists, pages and changes since a revision.

extension ObjectStore {
    package struct Page: Sendable {
        package var revision: UInt64
        package var objects: [StoredObject]
        package var next: ContinueToken?
        package var remaining: Int?

        package init(revision: UInt64, objects: [StoredObject]) {
            self.revision = revision
            self.objects = objects
        }
    }

    package struct ListRequest: Sendable {
        package var selection: Selection
        /// The state to list; nil for the newest.
        package var revision: UInt64?
        package var limit: Int?
        package var token: ContinueToken?

        package init(
            _ selection: Selection, revision: UInt64? = nil, limit: Int? = nil, token: ContinueToken? = nil
        ) {
            self.selection = selection
            self.revision = revision
            self.limit = limit
            self.token = token
        }
    }

    package func list(_ request: ListRequest) throws(APIStatus) -> Page {
        let wanted = request.token?.revision ?? request.revision
        let resource = request.selection.endpoint.resource
        if let wanted, wanted < (tables[resource]?.expired ?? 0) {
            guard let token = request.token else { throw .listTooOld }
            throw .continueTooOld(ContinueToken(revision: nil, last: token.last).text)
        }
        let at = min(wanted ?? revision, revision)
        var matching: [StoredObject] = []
        var isFull = false
        var remaining = 0
        for object in state(of: resource, at: at) {
            if let token = request.token, object.key.path <= token.last { continue }
            if isFull && request.selection.hasSelector && remaining > 0 { break }
            guard request.selection.contains(object) else { continue }
            if isFull {
                remaining += 1
            } else {
                matching.append(object)
                isFull = matching.count == request.limit
            }
        }
        var page = Page(revision: at, objects: matching)
        if remaining > 0, let last = matching.last {
            page.next = ContinueToken(revision: at, last: last.key.path)
            page.remaining = request.selection.hasSelector ? nil : remaining
        }
        return page
    }

    /// Changes after a revision, oldest first, and the revision up to which they go.
    package func changes(
        of resource: Resource, after start: UInt64
    ) throws(APIStatus) -> (changes: ArraySlice<Change>, upTo: UInt64) {
        guard let table = tables[resource] else { return ([], max(start, revision)) }
        if start < table.expired { throw .tooOld(start, oldest: table.expired) }
        return (table.history[Self.index(in: table.history, after: start)...], max(start, revision))
    }

    /// The objects of a resource in the order of lists, as they were at a revision that has not expired: the newest state
    /// with the later changes taken back.
    private func state(of resource: Resource, at wanted: UInt64) -> [StoredObject] {
        guard var table = tables[resource] else { return [] }
        if table.sorted == nil {
            table.sorted = table.objects.keys.map { ($0.path, $0) }.sorted { $0.0 < $1.0 }.map(\.1)
            tables[resource] = table
        }
        let later = table.history[Self.index(in: table.history, after: wanted)...]
        if later.isEmpty { return (table.sorted ?? []).compactMap { table.objects[$0] } }
        var objects = table.objects
        for change in later.reversed() {
            guard let key = change.before?.key ?? change.after?.key else { continue }
            objects[key] = change.before
        }
        return objects.values.sorted { $0.key < $1.key }
    }

    private static func index(in history: ArraySlice<Change>, after revision: UInt64) -> Int {
        var low = history.startIndex
        var high = history.endIndex
        while low < high {
            let middle = (low + high) / 2
            if history[middle].revision <= revision { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
