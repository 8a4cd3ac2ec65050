// An EndpointSlice message as a tree of plain values. Conditions and port numbers that are not set are left out: their
// absence means something (EP-6, EP-9).

import KubernetesMessages
import ServiceModel

extension WireEndpointSlice {
    var fields: FieldValue {
        var fields = FieldMembers()
        fields.set("metadata", metadata.fields)
        fields.set("addressType", addressType)
        fields.set("ports", ports, \.fields)
        fields.set("endpoints", endpoints, \.fields)
        return fields.value
    }
}

extension WireEndpointPort {
    fileprivate var fields: FieldValue {
        var fields = FieldMembers()
        fields.set("name", name)
        fields.set("protocol", `protocol`)
        if hasPort { fields.set("port", .integer(Int64(port))) }
        return fields.value
    }
}

extension WireEndpoint {
    fileprivate var fields: FieldValue {
        var fields = FieldMembers()
        fields.set("addresses", addresses)
        fields.set("nodeName", nodeName)
        if hasConditions { fields.set("conditions", conditions.fields) }
        if hasHints { fields.set("hints", hints.fields) }
        return fields.value
    }
}

extension WireEndpointConditions {
    fileprivate var fields: FieldValue {
        var fields = FieldMembers()
        if hasReady { fields.set("ready", .bool(ready)) }
        if hasServing { fields.set("serving", .bool(serving)) }
        if hasTerminating { fields.set("terminating", .bool(terminating)) }
        return fields.value
    }
}

extension WireEndpointHints {
    fileprivate var fields: FieldValue {
        var fields = FieldMembers()
        fields.set("forZones", forZones) { .object(["name": .string($0.name)]) }
        fields.set("forNodes", forNodes) { .object(["name": .string($0.name)]) }
        return fields.value
    }
}
