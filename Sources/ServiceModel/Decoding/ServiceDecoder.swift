// A v1 Service as a fact. What the API server would refuse makes the object unusable where a proxy could do harm with
// it; what kube-proxy skips (INV-2, INV-3) is skipped and reported. Its addresses are read in ServiceAddresses.

enum ServiceDecoder {
    static func decode(
        _ object: FieldValue, _ metadata: ObjectMetadata, problems: inout [FieldProblem]
    ) throws(FieldProblem) -> Service {
        var service = Service(name: metadata.identity.name, creationTime: metadata.creationTime)
        service.belongsToOtherProxy = try metadata.hasLabel("service.kubernetes.io/service-proxy-name")
        service.algorithm = try choice("martlet.dev/algorithm", "neither random nor maglev", metadata, &problems)
        service.forwarding = try choice("martlet.dev/forwarding", "none of snat, dsr and hybrid", metadata, &problems)
        let policy: Service.SourceRangesPolicy? = try choice(
            "martlet.dev/source-ranges-policy", "neither allow nor deny", metadata, &problems)
        service.sourceRangesPolicy = policy ?? .allow
        guard let spec = try object.object("spec") else { throw FieldProblem("spec", "is missing") }
        var inSpec: [FieldProblem] = []
        do throws(FieldProblem) {
            service.kind = try kind(spec)
            // Nothing else of an ExternalName counts, not even left-over addresses (SVC-7).
            guard service.kind != .externalName else { return service }
            try readSpec(spec, into: &service, problems: &inSpec)
            problems += inSpec.map { $0.under("spec") }
        } catch {
            problems += inSpec.map { $0.under("spec") }
            throw error.under("spec")
        }
        service.loadBalancerIPs = try ServiceAddresses.loadBalancerIPs(object, &problems)
        return service
    }

    private static func readSpec(
        _ spec: FieldValue, into service: inout Service, problems: inout [FieldProblem]
    ) throws(FieldProblem) {
        let cluster = try ServiceAddresses.clusterIPs(spec, &problems)
        service.isHeadless = cluster.isHeadless
        service.clusterIPs = cluster.addresses
        service.externalIPs = try ServiceAddresses.externalIPs(spec, &problems)
        service.loadBalancerSourceRanges = try ServiceAddresses.sourceRanges(spec, &problems)
        service.externalTrafficPolicy = try trafficPolicy(spec, "externalTrafficPolicy", &problems)
        service.internalTrafficPolicy = try trafficPolicy(spec, "internalTrafficPolicy", &problems)
        service.sessionAffinitySeconds = try sessionAffinity(spec, &problems)
        service.healthCheckNodePort = try spec.port("healthCheckNodePort")
        service.ports = try ServicePorts.decode(spec, problems: &problems)
        if service.ports.isEmpty, !service.isHeadless {
            problems.append(FieldProblem("ports", "is empty; nothing is served for this Service"))
        }
    }

    private static func kind(_ spec: FieldValue) throws(FieldProblem) -> Service.Kind {
        guard let text = try spec.string("type"), !text.isEmpty else { return .clusterIP }
        guard let kind = Service.Kind(rawValue: text) else {
            throw FieldProblem(
                "type", "\(FieldValue.quoted(text)) is none of ClusterIP, NodePort, LoadBalancer and ExternalName")
        }
        return kind
    }

    /// One of the words that an annotation of Martlet's own may be.
    private static func choice<Choice: RawRepresentable<String>>(
        _ key: String, _ otherwise: String, _ metadata: ObjectMetadata, _ problems: inout [FieldProblem]
    ) throws(FieldProblem) -> Choice? {
        guard let text = try metadata.annotation(key) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            problems.append(
                FieldProblem(
                    "metadata.annotations[\(key)]", "\(FieldValue.quoted(text)) is \(otherwise); it is ignored"))
            return nil
        }
        return choice
    }

    /// Anything but Local counts as Cluster, as in kube-proxy.
    private static func trafficPolicy(
        _ spec: FieldValue, _ key: String, _ problems: inout [FieldProblem]
    ) throws(FieldProblem) -> Service.TrafficPolicy {
        guard let text = try spec.string(key), !text.isEmpty else { return .cluster }
        guard let policy = Service.TrafficPolicy(rawValue: text) else {
            problems.append(
                FieldProblem(key, "\(FieldValue.quoted(text)) is neither Cluster nor Local; it counts as Cluster"))
            return .cluster
        }
        return policy
    }

    /// AFF-3, INV-6: 10800 seconds when the timeout is missing or out of range.
    private static func sessionAffinity(
        _ spec: FieldValue, _ problems: inout [FieldProblem]
    ) throws(FieldProblem) -> UInt32? {
        guard let text = try spec.string("sessionAffinity"), !text.isEmpty, text != "None" else { return nil }
        guard text == "ClientIP" else {
            problems.append(
                FieldProblem(
                    "sessionAffinity", "\(FieldValue.quoted(text)) is neither None nor ClientIP; it counts as None"))
            return nil
        }
        let configured = try spec.mapObject("sessionAffinityConfig") { (config) throws(FieldProblem) in
            try config.mapObject("clientIP") { (client) throws(FieldProblem) in try client.integer("timeoutSeconds") }
        }
        guard let seconds = (configured ?? nil) ?? nil else { return 10800 }
        guard (1...86400).contains(seconds) else {
            problems.append(
                FieldProblem(
                    "sessionAffinityConfig.clientIP.timeoutSeconds",
                    "\(seconds) is not within 1…86400; 10800 is used instead"))
            return 10800
        }
        return UInt32(seconds)
    }
}
