// What a Service says without saying it: the API server's defaults, and the values that an update keeps from before.

enum ServiceDefaults {
    /// Fills in what does not depend on what is free.
    static func apply(to service: JSON) -> JSON {
        var spec = service["spec"] ?? [:]
        let type = spec["type"]?.string ?? "ClusterIP"
        setIfMissing(&spec, "type", .string(type))
        setIfMissing(&spec, "sessionAffinity", "None")
        if spec["sessionAffinity"] == "ClientIP", spec["sessionAffinityConfig"]?["clientIP"]?["timeoutSeconds"] == nil {
            spec["sessionAffinityConfig"] = ["clientIP": ["timeoutSeconds": 10800]]
        } else if spec["sessionAffinity"] == "None" {
            spec["sessionAffinityConfig"] = nil
        }
        if let ports = spec["ports"]?.array { spec["ports"] = .array(ports.map(port)) }
        if type != "ExternalName" { setIfMissing(&spec, "internalTrafficPolicy", "Cluster") }
        let isExternal = ["NodePort", "LoadBalancer"].contains(type) || spec["externalIPs"]?.array?.isEmpty == false
        if isExternal && type != "ExternalName" {
            setIfMissing(&spec, "externalTrafficPolicy", "Cluster")
        } else {
            spec["externalTrafficPolicy"] = nil
        }
        if type == "LoadBalancer" { setIfMissing(&spec, "allocateLoadBalancerNodePorts", true) }
        if type != "LoadBalancer" { spec["allocateLoadBalancerNodePorts"] = nil }
        var result = service
        result["spec"] = spec
        return result
    }

    private static func port(_ port: JSON) -> JSON {
        var port = port
        setIfMissing(&port, "protocol", "TCP")
        let target = port["targetPort"]
        if target == nil || target == .null || target == 0 || target == "" {
            // A port that is 0 stays so, and is refused with it.
            port["targetPort"] = port["port"] ?? 0
        }
        return port
    }

    private static func setIfMissing(_ json: inout JSON, _ name: String, _ value: JSON) {
        let present = json[name]
        if present == nil || present == .null || present == "" { json[name] = value }
    }

    /// An update that does not name allocated values keeps them, as kubectl and controllers count on.
    static func keepAllocations(in service: JSON, from old: JSON) -> JSON {
        var spec = service["spec"] ?? [:]
        let before = old["spec"] ?? [:]
        guard spec["type"] != "ExternalName", before["type"] != "ExternalName" else { return service }
        for name in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] where isUnset(spec[name]) {
            spec[name] = before[name]
        }
        if isUnset(spec["healthCheckNodePort"]) { spec["healthCheckNodePort"] = before["healthCheckNodePort"] }
        if ["NodePort", "LoadBalancer"].contains(spec["type"]?.string ?? "") {
            let oldPorts = before["ports"]?.array ?? []
            spec["ports"] = .array(
                (spec["ports"]?.array ?? []).map { port in
                    guard isUnset(port["nodePort"]),
                        let same = oldPorts.first(where: {
                            $0["port"] == port["port"] && $0["protocol"] == port["protocol"]
                        })
                    else { return port }
                    var port = port
                    port["nodePort"] = same["nodePort"]
                    return port
                })
        }
        var result = service
        result["spec"] = spec
        return result
    }

    static func isUnset(_ value: JSON?) -> Bool {
        switch value {
        case nil, .null, .integer(0), .string(""): true
        case .array(let elements): elements.isEmpty
        case .bool, .integer, .decimal, .string, .object: false
        }
    }
}
