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
