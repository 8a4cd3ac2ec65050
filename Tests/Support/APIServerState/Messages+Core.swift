// Tables of Service, Node and Namespace of the core group.

extension Messages {
    private static let servicePort = Message(
        "ServicePort",
        [
            Field(1, "name", .string), Field(2, "protocol", .string), Field(6, "appProtocol", .string, .pointer),
            Field(3, "port", .integer(32), .always), Field(4, "targetPort", .integerOrString),
            Field(5, "nodePort", .integer(32)),
        ])

    private static let affinityConfig = Message(
        "SessionAffinityConfig",
        [
            Field(
                1, "clientIP",
                .message(Message("ClientIPConfig", [Field(1, "timeoutSeconds", .integer(32), .pointer)])), .pointer)
        ])

    private static let serviceSpec = Message(
        "ServiceSpec",
        [
            Field(1, "ports", .list(.message(servicePort)), merge: .byKey("port")),
            Field(2, "selector", .map(.string)), Field(3, "clusterIP", .string),
            Field(18, "clusterIPs", .list(.string)), Field(4, "type", .string),
            Field(5, "externalIPs", .list(.string)), Field(7, "sessionAffinity", .string),
            Field(8, "loadBalancerIP", .string), Field(9, "loadBalancerSourceRanges", .list(.string)),
            Field(10, "externalName", .string), Field(11, "externalTrafficPolicy", .string),
            Field(12, "healthCheckNodePort", .integer(32)), Field(13, "publishNotReadyAddresses", .bool),
            Field(14, "sessionAffinityConfig", .message(affinityConfig), .pointer),
            Field(19, "ipFamilies", .list(.string)), Field(17, "ipFamilyPolicy", .string, .pointer),
            Field(20, "allocateLoadBalancerNodePorts", .bool, .pointer),
            Field(21, "loadBalancerClass", .string, .pointer), Field(22, "internalTrafficPolicy", .string, .pointer),
            Field(23, "trafficDistribution", .string, .pointer),
        ])

    private static let ingressPort = Message(
        "PortStatus",
        [
            Field(1, "port", .integer(32), .always), Field(2, "protocol", .string, .always),
            Field(3, "error", .string, .pointer),
        ])

    private static let ingress = Message(
        "LoadBalancerIngress",
        [
            Field(1, "ip", .string), Field(2, "hostname", .string), Field(3, "ipMode", .string, .pointer),
            Field(4, "ports", .list(.message(ingressPort))),
        ])

    private static let serviceStatus = Message(
        "ServiceStatus",
        [
            Field(
                1, "loadBalancer",
                .message(Message("LoadBalancerStatus", [Field(1, "ingress", .list(.message(ingress)))]))),
            Field(2, "conditions", .list(.message(condition)), merge: .byKey("type")),
        ])

    package static let service = Message(
        "Service",
        [
            Field(1, "metadata", .message(objectMeta)), Field(2, "spec", .message(serviceSpec)),
            Field(3, "status", .message(serviceStatus)),
        ])

    package static let namespace = Message(
        "Namespace",
        [
            Field(1, "metadata", .message(objectMeta)),
            Field(2, "spec", .message(Message("NamespaceSpec", [Field(1, "finalizers", .list(.string))]))),
            Field(3, "status", .message(Message("NamespaceStatus", [Field(1, "phase", .string)]))),
        ])

    private static let taint = Message(
        "Taint",
        [
            Field(1, "key", .string, .always), Field(2, "value", .string), Field(3, "effect", .string, .always),
            Field(4, "timeAdded", .time, .pointer),
        ])

    private static let nodeSpec = Message(
        "NodeSpec",
        [
            Field(1, "podCIDR", .string), Field(7, "podCIDRs", .list(.string), merge: .byValue),
            Field(3, "providerID", .string), Field(4, "unschedulable", .bool),
            Field(5, "taints", .list(.message(taint))), Field(2, "externalID", .string),
        ])

    private static let nodeCondition = Message(
        "NodeCondition",
        [
            Field(1, "type", .string, .always), Field(2, "status", .string, .always),
            Field(3, "lastHeartbeatTime", .time, .always), Field(4, "lastTransitionTime", .time, .always),
            Field(5, "reason", .string), Field(6, "message", .string),
        ])

    private static let nodeAddress = Message(
        "NodeAddress", [Field(1, "type", .string, .always), Field(2, "address", .string, .always)])

    private static let nodeInfo = Message(
        "NodeSystemInfo",
        [
            "machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion",
            "kubeletVersion", "kubeProxyVersion", "operatingSystem", "architecture",
        ].enumerated().map { Field($0.offset + 1, $0.element, .string, .always) })

    private static let daemonEndpoints = Message(
        "NodeDaemonEndpoints",
        [
            Field(
                1, "kubeletEndpoint", .message(Message("DaemonEndpoint", [Field(1, "Port", .integer(32), .always)])))
        ])

    private static let nodeStatus = Message(
        "NodeStatus",
        [
            Field(1, "capacity", .map(.quantity)), Field(2, "allocatable", .map(.quantity)),
            Field(3, "phase", .string),
            Field(4, "conditions", .list(.message(nodeCondition)), merge: .byKey("type")),
            Field(5, "addresses", .list(.message(nodeAddress)), merge: .byKey("type")),
            Field(6, "daemonEndpoints", .message(daemonEndpoints)), Field(7, "nodeInfo", .message(nodeInfo)),
        ])

    package static let node = Message(
        "Node",
        [
            Field(1, "metadata", .message(objectMeta)), Field(2, "spec", .message(nodeSpec)),
            Field(3, "status", .message(nodeStatus)),
        ])
}
