// Create, replace, patch and delete, with what the API server adds to an object, checks in it and refuses.

extension ObjectStore {
    package struct WriteOptions: Sendable {
        package var isDryRun = false
        /// The status alone, which the object itself never changes.
        package var isStatus = false

        package init(isDryRun: Bool = false, isStatus: Bool = false) {
            self.isDryRun = isDryRun
            self.isStatus = isStatus
        }
    }

    /// `object` is in the form of its endpoint, complete or not.
    @discardableResult
    package func create(
        _ endpoint: Endpoint, namespace: String = "", _ object: JSON, options: WriteOptions = WriteOptions()
    ) throws(APIStatus) -> StoredObject {
        var json = try shaped(object, endpoint)
        let resource = endpoint.resource
        var metadata = json["metadata"] ?? [:]
        if resource.isNamespaced {
            let own = metadata["namespace"]?.string ?? namespace
            guard own == namespace || namespace.isEmpty else {
                throw .badRequest(
                    "the namespace of the provided object does not match the namespace sent on the request")
            }
            guard self.object(.namespaces, ObjectKey(name: own)) != nil else { throw .notFound(.namespaces, own) }
            metadata["namespace"] = .string(own)
        } else {
            metadata["namespace"] = nil
        }
        if metadata["name"]?.string ?? "" == "", let prefix = metadata["generateName"]?.string {
            metadata["name"] = .string(prefix + Self.randomSuffix())
        }
        metadata["uid"] = .string(Self.randomUID())
        metadata["creationTimestamp"] = .string(Timestamp(seconds: settings.now()).text())
        metadata["generation"] = resource.countsGenerations ? 1 : nil
        metadata["deletionTimestamp"] = nil
        json["metadata"] = metadata
        if resource.hasStatus, resource != .nodes, resource != .namespaces { json["status"] = nil }
        let name = metadata["name"]?.string ?? ""
        let key = ObjectKey(namespace: metadata["namespace"]?.string ?? "", name: name)
        // A taken name is found before what would be taken for it is looked at.
        guard self.object(resource, key) == nil else { throw .alreadyExists(endpoint, name) }
        json = try admitted(json, replacing: nil, endpoint, isDryRun: options.isDryRun)
        if options.isDryRun { return StoredObject(resource: resource, json: json) }
        return commit(resource, key, json)
    }

    @discardableResult
    package func replace(
        _ endpoint: Endpoint, _ key: ObjectKey, _ object: JSON, options: WriteOptions = WriteOptions()
    ) throws(APIStatus) -> StoredObject {
        guard let old = self.object(endpoint.resource, key) else { throw .notFound(endpoint, key.name) }
        var json = try shaped(object, endpoint)
        let metadata = json["metadata"] ?? [:]
        guard metadata["name"]?.string == key.name else {
            throw .badRequest(
                "the name of the object (\(metadata["name"]?.string ?? "")) does not match the name on the URL (\(key.name))"
            )
        }
        if let version = metadata["resourceVersion"]?.string, version != String(old.revision) {
            throw .conflict(endpoint, key.name)
        }
        if let uid = metadata["uid"], uid != old.json.at("metadata", "uid") {
            throw .conflict(
                endpoint, key.name,
                "Precondition failed: UID in precondition: \(uid.string ?? ""), UID in object meta: "
                    + (old.json.at("metadata", "uid")?.string ?? ""))
        }
        for name in ["uid", "creationTimestamp", "namespace", "generation", "resourceVersion"] {
            json["metadata"]?[name] = old.json["metadata"]?[name]
        }
        if options.isStatus {
            let status = json["status"]
            json = old.json
            json["status"] = status
        } else {
            if endpoint.resource.hasStatus { json["status"] = old.json["status"] }
            json = try admitted(json, replacing: old.json, endpoint, isDryRun: options.isDryRun)
        }
        if endpoint.resource.countsGenerations, Self.withoutMetadata(json) != Self.withoutMetadata(old.json) {
            json["metadata"]?["generation"] = .integer((old.json.at("metadata", "generation")?.integer ?? 0) + 1)
        }
        // A change that changes nothing makes no revision.
        if json == old.json { return old }
        return options.isDryRun
            ? StoredObject(resource: endpoint.resource, json: json) : commit(endpoint.resource, key, json)
    }

    /// Applies a change to the newest state; a patch that names a resourceVersion is refused when that has passed.
    @discardableResult
    package func patch(
        _ endpoint: Endpoint, _ key: ObjectKey, options: WriteOptions = WriteOptions(),
        _ change: @Sendable (JSON) throws(APIStatus) -> JSON
    ) throws(APIStatus) -> StoredObject {
        guard let old = object(endpoint.resource, key) else { throw .notFound(endpoint, key.name) }
        return try replace(endpoint, key, try change(old.form(endpoint)), options: options)
    }

    /// Returns the last state, with the revision of the deletion. What the object owned goes after it, as the garbage
    /// collector would do it: a Service's slices in changes of their own.
    @discardableResult
    package func delete(
        _ endpoint: Endpoint, _ key: ObjectKey, uid: String? = nil, options: WriteOptions = WriteOptions()
    ) throws(APIStatus) -> StoredObject {
        guard let old = object(endpoint.resource, key) else { throw .notFound(endpoint, key.name) }
        let ownUID = old.json.at("metadata", "uid")?.string ?? ""
        if let uid, uid != ownUID {
            throw .conflict(
                endpoint, key.name, "Precondition failed: UID in precondition: \(uid), UID in object meta: \(ownUID)")
        }
        if options.isDryRun { return old }
        if endpoint.resource == .services {
            var allocation = ServiceAllocation(addresses: addresses, ports: ports)
            allocation.release(old.json)
            addresses = allocation.addresses
            ports = allocation.ports
        }
        let gone = commit(endpoint.resource, key, nil)
        if endpoint.resource == .services { deleteSlices(ownedBy: ownUID) }
        if endpoint.resource == .namespaces { try deleteContents(of: key.name) }
        return gone
    }

    private func deleteSlices(ownedBy uid: String) {
        for slice in tables[.endpointSlices]?.objects.values.map({ $0 }) ?? [] {
            let owners = slice.json.at("metadata", "ownerReferences")?.array ?? []
            if owners.contains(where: { $0["uid"] == .string(uid) }) { commit(.endpointSlices, slice.key, nil) }
        }
    }

    private func deleteContents(of namespace: String) throws(APIStatus) {
        for endpoint in [Endpoint.services, .endpointSlices, .events] {
            for object in tables[endpoint.resource]?.objects.values.map({ $0 }) ?? []
            where object.key.namespace == namespace && self.object(endpoint.resource, object.key) != nil {
                try delete(endpoint, object.key)
            }
        }
    }

    /// The object in the form that is stored, members of unknown names left out.
    private func shaped(_ object: JSON, _ endpoint: Endpoint) throws(APIStatus) -> JSON {
        do {
            let shaped = try Shape.shape(object, as: endpoint.message)
            return endpoint.resource == .events && endpoint.group.isEmpty ? EventForms.event(from: shaped) : shaped
        } catch {
            throw .badRequest("\(endpoint.kind) in version \"v1\" cannot be handled as a \(endpoint.kind): \(error)")
        }
    }

    private func admitted(
        _ json: JSON, replacing old: JSON?, _ endpoint: Endpoint, isDryRun: Bool
    ) throws(APIStatus) -> JSON {
        var json = json
        var causes: [APIStatus.Cause] = []
        switch endpoint.resource {
        case .services:
            json = ServiceDefaults.apply(to: json)
            if let old { json = ServiceDefaults.keepAllocations(in: json, from: old) }
            causes = Validation.causes(.services, json) + Self.immutable(json, old)
            if causes.isEmpty {
                var allocation = ServiceAllocation(addresses: addresses, ports: ports)
                if let old { allocation.release(old) }
                json = allocation.allocate(json)
                causes = allocation.causes
                if causes.isEmpty && !isDryRun {
                    addresses = allocation.addresses
                    ports = allocation.ports
                }
            }
        case .endpointSlices:
            json = SliceDefaults.apply(to: json)
            causes = Validation.causes(.endpointSlices, json)
        case .events:
            causes = Validation.causes(.events, json)
            // The core group is not so strict.
            if let old, !endpoint.group.isEmpty { causes += Validation.changes(ofEvent: json, from: old) }
        case .nodes, .namespaces, .serviceCIDRs:
            causes = Validation.causes(endpoint.resource, json)
        }
        if !causes.isEmpty {
            // The registry of events is the core group's, and so are its errors.
            let named = endpoint.resource == .events ? Endpoint(resource: .events, group: "") : endpoint
            throw .invalid(named, json.at("metadata", "name")?.string ?? "", causes)
        }
        return (try? Shape.shape(json, as: Self.message(endpoint.resource))) ?? json
    }

    private static func immutable(_ json: JSON, _ old: JSON?) -> [APIStatus.Cause] {
        guard let before = old?.at("spec", "clusterIP")?.string, let now = json.at("spec", "clusterIP")?.string,
            json.at("spec", "type") != "ExternalName", before != now, !before.isEmpty
        else { return [] }
        return [
            .init(
                reason: "FieldValueInvalid", message: "Invalid value: [\"\(now)\"]: may not change once set",
                field: "spec.clusterIPs[0]")
        ]
    }

    private static func withoutMetadata(_ json: JSON) -> JSON {
        var json = json
        json["metadata"] = nil
        return json
    }

    static func randomUID() -> String {
        let digits = (0..<32).map { index in
            index == 12 ? "4" : String(UInt8.random(in: index == 16 ? 8...11 : 0...15), radix: 16)
        }
        let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
        return groups.map { digits[$0].joined() }.joined(separator: "-")
    }

    private static func randomSuffix() -> String {
        String((0..<5).map { _ in "bcdfghjklmnpqrstvwxz2456789".randomElement() ?? "x" })
    }
}
