// Node and ServiceCIDR messages as trees of plain values.

import KubernetesMessages
import ServiceModel

extension WireNode {
    var fields: FieldValue {
        var specification = FieldMembers()
        specification.set("podCIDR", spec.podCidr)
        specification.set("podCIDRs", spec.podCidrs)
        specification.set("taints", spec.taints) { .object(["key": .string($0.key)]) }
        var fields = FieldMembers()
        fields.set("metadata", metadata.fields)
        fields.set("spec", specification.value)
        if !status.addresses.isEmpty {
            fields.set("status", .object(["addresses": .array(status.addresses.map(\.fields))]))
        }
        return fields.value
    }
}

extension WireNodeAddress {
    fileprivate var fields: FieldValue { .object(["type": .string(type), "address": .string(address)]) }
}

extension WireServiceCIDR {
    var fields: FieldValue {
        var specification = FieldMembers()
        specification.set("cidrs", spec.cidrs)
        return .object(["metadata": metadata.fields, "spec": specification.value])
    }
}
