// What is there at the start, and much more of it on demand: services and slices in bulk, and storms of changes.

extension ObjectStore {
    /// What a new cluster has: namespaces, the service CIDR, and the service of the API server itself.
    package func populate() throws(APIStatus) {
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            try create(
                .namespaces,
                [
                    "metadata": ["name": .string(name), "labels": ["kubernetes.io/metadata.name": .string(name)]],
                    "spec": ["finalizers": ["kubernetes"]], "status": ["phase": "Active"],
                ])
        }
        try create(
            .serviceCIDRs,
            [
                "metadata": ["name": "kubernetes"],
                "spec": ["cidrs": .array(settings.serviceCIDRs.map(JSON.string))],
            ])
        try create(
            .services, namespace: "default",
            [
                "metadata": [
                    "name": "kubernetes", "labels": ["component": "apiserver", "provider": "kubernetes"],
                ],
                "spec": ["ports": [["name": "https", "port": 443, "targetPort": 6443]]],
            ])
    }

    /// Puts in objects as they are, in place of all that there is of their resource: their own uids, versions and cluster
    /// IPs. What was before `revision` has expired.
    package func restore(_ endpoint: Endpoint, _ objects: [JSON], revision: UInt64) throws(APIStatus) {
        var table = Table(expired: revision)
        if endpoint.resource == .services {
            for object in tables[.services]?.objects.values.map({ $0 }) ?? [] { reserve(object.json, isTaken: false) }
        }
        for json in objects {
            let shaped: JSON
            do { shaped = try Shape.shape(json, as: endpoint.message) } catch { throw .badRequest("\(error)") }
            let object = StoredObject(resource: endpoint.resource, json: shaped)
            table.objects[object.key] = object
            if endpoint.resource == .services { reserve(shaped, isTaken: true) }
        }
        tables[endpoint.resource] = table
        self.revision = max(self.revision, revision)
    }

    /// Says at which revision the server is, and up to which it has forgotten a resource.
    package func override(_ resource: Resource, revision: UInt64, expired: UInt64?) {
        self.revision = revision
        tables[resource, default: Table()].expired = expired ?? 0
    }

    /// A list as the API server writes it, or as `kubectl get -o json` does when all its items are of one kind.
    package func restore(list: JSON) throws(APIStatus) {
        let items = list["items"]?.array ?? []
        let apiVersion = list["apiVersion"]?.string ?? ""
        let kind = list["kind"]?.string ?? ""
        let endpoint = Endpoint.all.first { endpoint in
            if kind == "List" {
                return items.allSatisfy {
                    $0["kind"] == .string(endpoint.kind) && $0["apiVersion"] == .string(endpoint.apiVersion)
                }
            }
            return kind == "\(endpoint.kind)List" && apiVersion == endpoint.apiVersion
        }
        guard let endpoint else {
            throw .badRequest("\(apiVersion) \(kind) is no list of one of the kinds served here")
        }
        let own = list.at("metadata", "resourceVersion")?.string.flatMap(UInt64.init)
        let versions = items.compactMap { $0.at("metadata", "resourceVersion")?.string.flatMap(UInt64.init) }
        try restore(endpoint, items, revision: own ?? versions.max() ?? 1)
    }

    private func reserve(_ service: JSON, isTaken: Bool) {
        var allocation = ServiceAllocation(addresses: addresses, ports: ports)
        if isTaken { _ = allocation.allocate(service) } else { allocation.release(service) }
        addresses = allocation.addresses
        ports = allocation.ports
    }

    /// Services `bulk-0`, `bulk-1` and so on of namespace `default`, each with one port and one slice of its own with so
    /// many ready endpoints. Those that exist are left as they are.
    package func makeServices(_ count: Int, endpointsEach: Int) throws(APIStatus) {
        for index in 0..<count {
            let name = "bulk-\(index)"
            if object(.services, ObjectKey(namespace: "default", name: name)) != nil { continue }
            let service = try create(
                .services, namespace: "default",
                [
                    "metadata": ["name": .string(name), "labels": ["app": .string(name)]],
                    "spec": [
                        "selector": ["app": .string(name)],
                        "ports": [["name": "http", "port": 80, "targetPort": 8080]],
                    ],
                ])
            try create(.endpointSlices, namespace: "default", Self.slice(of: service, index, endpointsEach))
        }
    }

    private static func slice(of service: StoredObject, _ index: Int, _ endpointCount: Int) -> JSON {
        let endpoints = (0..<endpointCount).map { number -> JSON in
            let host = index * endpointCount + number + 1
            return [
                "addresses": [.string("10.\(128 + host >> 16 & 0x7f).\(host >> 8 & 0xff).\(host & 0xff)")],
                "conditions": ["ready": true, "serving": true, "terminating": false],
                "nodeName": .string("node\(host % 6 + 1)"), "zone": .string("zone-\(host % 3)"),
            ]
        }
        return [
            "metadata": [
                "name": .string("\(service.key.name)-slice"),
                "labels": ["kubernetes.io/service-name": .string(service.key.name)],
                "ownerReferences": [
                    [
                        "apiVersion": "v1", "kind": "Service", "name": .string(service.key.name),
                        "uid": service.json.at("metadata", "uid") ?? "", "controller": true,
                        "blockOwnerDeletion": true,
                    ]
                ],
            ],
            "addressType": "IPv4", "endpoints": .array(endpoints),
            "ports": [["name": "http", "port": 8080, "protocol": "TCP"]],
        ]
    }

    /// Turns the readiness of the first endpoint of a bulk service's slice.
    package func flipReadiness(ofService index: Int) throws(APIStatus) {
        let key = ObjectKey(namespace: "default", name: "bulk-\(index)-slice")
        try patch(.endpointSlices, key) { (slice) throws(APIStatus) in
            guard var endpoints = slice["endpoints"]?.array, !endpoints.isEmpty else { return slice }
            let isReady = endpoints[0].at("conditions", "ready") == true
            endpoints[0]["conditions"] = ["ready": .bool(!isReady), "serving": .bool(!isReady), "terminating": false]
            var changed = slice
            changed["endpoints"] = .array(endpoints)
            return changed
        }
    }
}
