// A Service message as a tree of plain values.

import KubernetesMessages
import ServiceModel

extension WireService {
    var fields: FieldValue {
        var fields = FieldMembers()
        fields.set("metadata", metadata.fields)
        if hasSpec { fields.set("spec", spec.fields) }
        let ingress = status.loadBalancer.ingress
        if !ingress.isEmpty {
            fields.set("status", .object(["loadBalancer": .object(["ingress": .array(ingress.map(\.fields))])]))
        }
        return fields.value
    }
}

extension WireServiceSpec {
    fileprivate var fields: FieldValue {
        var fields = FieldMembers()
        fields.set("type", type)
        fields.set("clusterIP", clusterIp)
        fields.set("clusterIPs", clusterIps)
        fields.set("ipFamilies", ipFamilies)
        fields.set("externalIPs", externalIps)
        fields.set("loadBalancerSourceRanges", loadBalancerSourceRanges)
        fields.set("externalTrafficPolicy", externalTrafficPolicy)
        fields.set("internalTrafficPolicy", internalTrafficPolicy)
        fields.set("sessionAffinity", sessionAffinity)
        if sessionAffinityConfig.clientIp.hasTimeoutSeconds {
            let seconds = Int64(sessionAffinityConfig.clientIp.timeoutSeconds)
            fields.set(
                "sessionAffinityConfig", .object(["clientIP": .object(["timeoutSeconds": .integer(seconds)])]))
        }
        if hasHealthCheckNodePort { fields.set("healthCheckNodePort", .integer(Int64(healthCheckNodePort))) }
        fields.set("ports", ports, \.fields)
        return fields.value
    }
}

extension WireServicePort {
    fileprivate var fields: FieldValue {
        var fields = FieldMembers()
        fields.set("name", name)
        fields.set("protocol", `protocol`)
        if hasPort { fields.set("port", .integer(Int64(port))) }
        if hasNodePort { fields.set("nodePort", .integer(Int64(nodePort))) }
        return fields.value
    }
}

extension WireLoadBalancerIngress {
    fileprivate var fields: FieldValue {
        var fields = FieldMembers()
        fields.set("ip", ip)
        fields.set("hostname", hostname)
        fields.set("ipMode", ipMode)
        return fields.value
    }
}
