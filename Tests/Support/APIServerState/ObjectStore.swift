// The state of the API: objects, one revision that counts all changes, and the changes themselves, from which watches
// are served and older states are made again. Whoever watches reads the history at their own pace; nothing is queued.

package actor ObjectStore {
    package struct Settings: Sendable {
        /// How many changes of a resource are kept; older ones expire.
        package var historyLimit = 50_000
        package var serviceCIDRs = ["10.96.0.0/16", "fd00:96::/112"]
        package var nodePorts: ClosedRange<Int64> = 30000...32767
        /// Seconds since 1970.
        package var now: @Sendable () -> Int64 = { 0 }

        package init() {}
    }

    struct Table {
        var objects: [ObjectKey: StoredObject] = [:]
        /// The objects in the order of lists, until one comes or goes.
        var sorted: [ObjectKey]?
        var history: ArraySlice<Change> = []
        /// Changes up to this revision are no longer in the history.
        var expired: UInt64 = 0
    }

    let settings: Settings
    package internal(set) var revision: UInt64 = 1
    var tables: [Resource: Table] = [:]
    var addresses: AddressPool
    var ports: PortPool
    private var signals: [Int: (resource: Resource, continuation: AsyncStream<Void>.Continuation)] = [:]
    private var signalCount = 0

    package init(_ settings: Settings) {
        self.settings = settings
        addresses = AddressPool(settings.serviceCIDRs)
        ports = PortPool(settings.nodePorts)
    }

    package func object(_ resource: Resource, _ key: ObjectKey) -> StoredObject? {
        tables[resource]?.objects[key]
    }

    package func count(_ resource: Resource) -> Int {
        tables[resource]?.objects.count ?? 0
    }

    /// Wakes whoever reads the stream after each change of the resource; several changes may be one element.
    package func signals(of resource: Resource) -> (id: Int, stream: AsyncStream<Void>, AsyncStream<Void>.Continuation)
    {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        signalCount += 1
        signals[signalCount] = (resource, continuation)
        return (signalCount, stream, continuation)
    }

    package func forget(signal id: Int) {
        signals[id] = nil
    }

    /// Makes one change; the object gets its resourceVersion here.
    @discardableResult
    func commit(_ resource: Resource, _ key: ObjectKey, _ json: JSON?) -> StoredObject {
        revision += 1
        var table = tables[resource] ?? Table()
        tables[resource] = nil
        let before = table.objects[key]
        var stamped = json
        stamped?["metadata"]?["resourceVersion"] = .string(String(revision))
        let after = stamped.flatMap { try? Shape.shape($0, as: Self.message(resource)) }
            .map { StoredObject(resource: resource, json: $0) }
        table.objects[key] = after
        if (before == nil) != (after == nil) { table.sorted = nil }
        table.history.append(Change(revision: revision, resource: resource, before: before, after: after))
        if table.history.count > settings.historyLimit * 2 {
            Self.expire(&table, upTo: table.history[table.history.endIndex - settings.historyLimit].revision - 1)
        }
        tables[resource] = table
        for signal in signals.values where signal.resource == resource { signal.continuation.yield() }
        return after ?? before!.at(revision)
    }

    static func message(_ resource: Resource) -> Message {
        switch resource {
        case .services: Messages.service
        case .nodes: Messages.node
        case .namespaces: Messages.namespace
        case .endpointSlices: Messages.endpointSlice
        case .serviceCIDRs: Messages.serviceCIDR
        case .events: Messages.event
        }
    }

    /// Forgets what was before a revision, as a compaction and a restart of the API server do together: watches, exact
    /// lists and continue tokens from before it are answered 410.
    package func compact(before oldest: UInt64? = nil) {
        let limit = oldest ?? revision
        for resource in Resource.allCases {
            var table = tables[resource] ?? Table()
            Self.expire(&table, upTo: min(limit, revision) &- 1)
            tables[resource] = table
        }
    }

    private static func expire(_ table: inout Table, upTo revision: UInt64) {
        table.expired = max(table.expired, revision)
        table.history = ArraySlice(Array(table.history.drop { $0.revision <= revision }))
    }
}
