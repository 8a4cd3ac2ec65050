// A v1 Node and a networking.k8s.io/v1 ServiceCIDR as facts.

import NetworkTypes

enum NodeDecoder {
    /// HZ-4: the taint that the cluster autoscaler puts on nodes that it is about to remove.
    private static let leavingTaint = "ToBeDeletedByClusterAutoscaler"

    static func decode(
        _ object: FieldValue, _ metadata: ObjectMetadata, problems: inout [FieldProblem]
    ) throws(FieldProblem) -> Node {
        var node = Node(name: metadata.identity.name.name, isLeaving: metadata.isBeingDeleted)
        if let zone = try metadata.label("topology.kubernetes.io/zone"), !zone.isEmpty { node.zone = zone }
        if let spec = try object.object("spec") {
            do throws(FieldProblem) {
                node.podCIDRs = try podCIDRs(spec, &problems)
                let taints = try spec.mapArray("taints") { (taint) throws(FieldProblem) in try taint.string("key") }
                if taints.contains(leavingTaint) { node.isLeaving = true }
            } catch {
                throw error.under("spec")
            }
        }
        if let status = try object.object("status") {
            do throws(FieldProblem) {
                node.addresses = try addresses(status, &problems)
            } catch {
                throw error.under("status")
            }
        }
        return node
    }

    /// `podCIDRs`, or the older `podCIDR` alone.
    private static func podCIDRs(_ spec: FieldValue, _ problems: inout [FieldProblem]) throws(FieldProblem) -> [CIDR] {
        let list = try spec.strings("podCIDRs")
        if list.isEmpty, let single = try spec.string("podCIDR"), !single.isEmpty {
            return CIDR.list([single], field: { _ in "spec.podCIDR" }, &problems)
        }
        return CIDR.list(list, field: { "spec.podCIDRs[\($0)]" }, &problems)
    }

    /// NODE-3: InternalIPs, then ExternalIPs, each in the order given.
    private static func addresses(
        _ status: FieldValue, _ problems: inout [FieldProblem]
    ) throws(FieldProblem) -> [IPAddress] {
        let entries = try status.mapArray("addresses") { (entry) throws(FieldProblem) in
            guard case .object = entry else { throw entry.mismatch("", wanted: .object) }
            return (type: try entry.string("type") ?? "", text: try entry.string("address") ?? "")
        }
        var addresses: [IPAddress] = []
        for type in ["InternalIP", "ExternalIP"] {
            for (index, entry) in entries.enumerated() where entry.type == type {
                guard let address = IPAddress(entry.text) else {
                    problems.append(
                        FieldProblem(
                            "status.addresses[\(index)].address",
                            "\(FieldValue.quoted(entry.text)) is not an IP address; it is skipped"))
                    continue
                }
                addresses.append(address)
            }
        }
        return addresses.withoutDuplicates()
    }
}

enum ServiceCIDRDecoder {
    static func decode(
        _ object: FieldValue, _ metadata: ObjectMetadata, problems: inout [FieldProblem]
    ) throws(FieldProblem) -> ServiceCIDR {
        let texts = try object.mapObject("spec") { (spec) throws(FieldProblem) in try spec.strings("cidrs") } ?? []
        guard !texts.isEmpty else { throw FieldProblem("spec.cidrs", "is missing") }
        let ranges = CIDR.list(texts, field: { "spec.cidrs[\($0)]" }, &problems)
        return ServiceCIDR(name: metadata.identity.name.name, ranges: ranges)
    }
}

extension CIDR {
    /// The valid ones of `texts`; the others become problems of the field that `field` names by index.
    static func list(_ texts: [String], field: (Int) -> String, _ problems: inout [FieldProblem]) -> [CIDR] {
        texts.enumerated().compactMap { index, text in
            guard let range = CIDR(text.trimmed) else {
                problems.append(
                    FieldProblem(
                        field(index), "\(FieldValue.quoted(text)) is not a CIDR (such as 10.0.0.0/16); it is skipped"))
                return nil
            }
            return range
        }
    }
}
