// What a client learns about the server before it asks for objects: versions, groups and resources, and health.

import APIServerState

enum Discovery {
    struct Answer {
        var contentType: String
        var body: [UInt8]
    }

    private static let groups = ["discovery.k8s.io", "events.k8s.io", "networking.k8s.io"]

    /// nil for paths of resources, and for what there is not (OpenAPI schemas among it: kubectl needs --validate=false).
    static func answer(_ path: String) -> Answer? {
        switch path {
        case "/livez", "/readyz", "/healthz":
            return Answer(contentType: "text/plain; charset=utf-8", body: Array("ok".utf8))
        case "/version": return json(version)
        case "/api":
            return json([
                "kind": "APIVersions", "versions": ["v1"],
                "serverAddressByClientCIDRs": [["clientCIDR": "0.0.0.0/0", "serverAddress": ""]],
            ])
        case "/apis":
            return json([
                "kind": "APIGroupList", "apiVersion": "v1", "groups": .array(groups.map(group)),
            ])
        case "/api/v1": return json(resources(group: ""))
        default:
            let parts = path.split(separator: "/").map(String.init)
            guard parts.first == "apis", parts.count >= 2, groups.contains(parts[1]) else { return nil }
            if parts.count == 2 {
                var group = group(parts[1])
                group["kind"] = "APIGroup"
                group["apiVersion"] = "v1"
                return json(group)
            }
            return parts.count == 3 && parts[2] == "v1" ? json(resources(group: parts[1])) : nil
        }
    }

    private static func json(_ value: JSON) -> Answer {
        Answer(contentType: "application/json", body: value.bytes + [0x0a])
    }

    private static let version: JSON = [
        "major": "1", "minor": "36", "gitVersion": "v1.36.2", "gitCommit": "stand-in", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "swiftc", "platform": "linux/amd64",
    ]

    private static func group(_ name: String) -> JSON {
        let version: JSON = ["groupVersion": .string("\(name)/v1"), "version": "v1"]
        return ["name": .string(name), "versions": [version], "preferredVersion": version]
    }

    private static func resources(group: String) -> JSON {
        var list: [JSON] = []
        for endpoint in Endpoint.all where endpoint.group == group {
            var resource: JSON = [
                "name": .string(endpoint.resource.rawValue), "singularName": .string(endpoint.kind.lowercased()),
                "namespaced": .bool(endpoint.resource.isNamespaced), "kind": .string(endpoint.kind),
                "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
            ]
            if let short = shortName(endpoint.resource) { resource["shortNames"] = [.string(short)] }
            list.append(resource)
            if endpoint.resource.hasStatus {
                list.append([
                    "name": .string("\(endpoint.resource.rawValue)/status"), "singularName": "",
                    "namespaced": .bool(endpoint.resource.isNamespaced), "kind": .string(endpoint.kind),
                    "verbs": ["get", "patch", "update"],
                ])
            }
        }
        return [
            "kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": .string(group.isEmpty ? "v1" : "\(group)/v1"), "resources": .array(list),
        ]
    }

    private static func shortName(_ resource: Resource) -> String? {
        switch resource {
        case .services: "svc"
        case .nodes: "no"
        case .namespaces: "ns"
        case .events: "ev"
        case .endpointSlices, .serviceCIDRs: nil
        }
    }
}
