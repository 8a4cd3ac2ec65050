// Writing: defaults, allocation, conflicts, patches, and what is refused.

import APIServerState
import Testing

@Suite("State of the API server stand-in")
struct StoreTests {
    private func store() async throws -> ObjectStore {
        let store = ObjectStore(ObjectStore.Settings())
        try await store.populate()
        return store
    }

    private func service(_ name: String, _ spec: JSON) -> JSON {
        ["metadata": ["name": .string(name)], "spec": spec]
    }

    private static let port: JSON = ["port": 80]

    struct Case: CustomTestStringConvertible {
        var testDescription: String
        var spec: JSON
        var expected: [String: JSON]
    }

    static let defaults = [
        Case(
            testDescription: "a plain Service", spec: ["ports": [port]],
            expected: [
                "type": "ClusterIP", "clusterIP": "10.96.0.2", "clusterIPs": ["10.96.0.2"], "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack", "sessionAffinity": "None", "internalTrafficPolicy": "Cluster",
                "ports": [["protocol": "TCP", "port": 80, "targetPort": 80]],
            ]),
        Case(
            testDescription: "two families", spec: ["ports": [port], "ipFamilyPolicy": "PreferDualStack"],
            expected: ["clusterIPs": ["10.96.0.2", "fd00:96::1"], "ipFamilies": ["IPv4", "IPv6"]]),
        Case(
            testDescription: "a headless one", spec: ["ports": [port], "clusterIP": "None"],
            expected: ["clusterIP": "None", "clusterIPs": ["None"]]),
        Case(
            testDescription: "a load balancer with local endpoints alone",
            spec: ["ports": [port], "type": "LoadBalancer", "externalTrafficPolicy": "Local"],
            expected: [
                "allocateLoadBalancerNodePorts": true, "healthCheckNodePort": 30001,
                "ports": [["protocol": "TCP", "port": 80, "targetPort": 80, "nodePort": 30000]],
            ]),
        Case(
            testDescription: "one with affinity", spec: ["ports": [port], "sessionAffinity": "ClientIP"],
            expected: ["sessionAffinityConfig": ["clientIP": ["timeoutSeconds": 10800]]]),
    ]

    @Test("a Service gets its defaults and allocations", arguments: defaults)
    func serviceDefaults(example: Case) async throws {
        let object = try await store().create(.services, namespace: "default", service("web", example.spec))
        for (name, value) in example.expected { #expect(object.json.at("spec", name) == value, "\(name)") }
    }

    @Test("cluster IPs and node ports are free again when a Service is deleted, and not before")
    func allocation() async throws {
        let store = try await store()
        let spec: JSON = ["ports": [["port": 80, "nodePort": 30080]], "type": "NodePort", "clusterIP": "10.96.1.1"]
        try await store.create(.services, namespace: "default", service("one", spec))
        await #expect(throws: APIStatus.self) {
            try await store.create(.services, namespace: "default", service("two", spec))
        }
        try await store.delete(.services, ObjectKey(namespace: "default", name: "one"))
        try await store.create(.services, namespace: "default", service("two", spec))
    }

    @Test("a write on an older resourceVersion is a conflict, and one without a change makes no revision")
    func conflicts() async throws {
        let store = try await store()
        let object = try await store.create(.services, namespace: "default", service("web", ["ports": [Self.port]]))
        var changed = object.json
        changed["metadata"]?["labels"] = ["a": "b"]
        try await store.replace(.services, object.key, changed)
        let revision = await store.revision
        let conflict = await #expect(throws: APIStatus.self) {
            try await store.replace(.services, object.key, changed)
        }
        #expect(conflict?.code == 409)
        changed["metadata"]?["resourceVersion"] = nil
        try await store.replace(.services, object.key, changed)
        #expect(await store.revision == revision)
    }

    @Test("an EndpointSlice's generation counts changes of what it says, and not of its labels")
    func generation() async throws {
        let store = try await store()
        let slice: JSON = [
            "metadata": ["name": "web-1"], "addressType": "IPv4", "endpoints": [["addresses": ["10.1.1.1"]]],
        ]
        let object = try await store.create(.endpointSlices, namespace: "default", slice)
        #expect(object.json.at("metadata", "generation") == 1)
        for (patch, generation): (JSON, JSON) in [
            (["metadata": ["labels": ["a": "b"]]], 1), (["endpoints": []], 2),
        ] {
            let after = try await store.patch(.endpointSlices, object.key) { (json) throws(APIStatus) in
                MergePatch.strategic(patch, into: json, as: Messages.endpointSlice)
            }
            #expect(after.json.at("metadata", "generation") == generation)
        }
    }

    @Test("a status is written on its own, and not with its object")
    func status() async throws {
        let store = try await store()
        let object = try await store.create(.services, namespace: "default", service("web", ["ports": [Self.port]]))
        var changed = object.json
        changed["status"] = ["loadBalancer": ["ingress": [["ip": "192.0.2.1"]]]]
        let ignored = try await store.replace(.services, object.key, changed)
        #expect(ignored.json["status"] == ["loadBalancer": [:]])
        let taken = try await store.replace(.services, object.key, changed, options: .init(isStatus: true))
        #expect(taken.json["status"] == changed["status"])
    }

    @Test(
        "label selectors choose by all their requirements",
        arguments: [
            ("a", true), ("!a", false), ("a=1", true), ("a==1", true), ("a!=1", false), ("b!=1", true),
            ("a in (1, 2)", true), ("a in (2)", false), ("a notin (2),!b", true), ("b notin (2)", true),
            ("a,b", false), ("", true),
        ])
    func labels(text: String, matches: Bool) throws {
        #expect(try LabelSelector(text).matches(["a": "1", "app.kubernetes.io/name": "x"]) == matches)
    }

    @Test("label selectors that do not parse are refused", arguments: ["!!", "a in 1", "a in (1", "a b", "=1", ","])
    func badLabels(text: String) {
        #expect(throws: APIStatus.self) { try LabelSelector(text) }
    }

    @Test("strategic merge patches merge ports by number, delete by directive, and order as asked")
    func strategicMerge() throws {
        let target: JSON = [
            "spec": ["ports": [["port": 1, "name": "a"], ["port": 2, "name": "b"], ["port": 3, "name": "c"]]]
        ]
        let patch: JSON = [
            "spec": [
                "$setElementOrder/ports": [["port": 4], ["port": 3], ["port": 1]],
                "ports": [["port": 1, "targetPort": 9], ["port": 4], ["$patch": "delete", "port": 2]],
            ]
        ]
        let merged = MergePatch.strategic(patch, into: target, as: Messages.service)
        #expect(
            merged.at("spec", "ports") == [
                ["port": 4], ["port": 3, "name": "c"], ["port": 1, "name": "a", "targetPort": 9],
            ])
    }

    @Test("an older state is listed as it was, while it is in the history")
    func history() async throws {
        let store = try await store()
        try await store.makeServices(3, endpointsEach: 1)
        let old = await store.revision
        try await store.delete(.services, ObjectKey(namespace: "default", name: "bulk-1"))
        try await store.makeServices(4, endpointsEach: 1)
        let page = try await store.list(.init(Selection(.services), revision: old))
        #expect(page.objects.map(\.key.name) == ["bulk-0", "bulk-1", "bulk-2", "kubernetes"])
        #expect(page.revision == old)
    }
}
