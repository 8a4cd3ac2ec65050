// A discovery.k8s.io/v1 EndpointSlice as a fact. Entries that kube-proxy skips are skipped (EP-6, EP-8, INV-6); slices
// that mean nothing to a proxy (EP-2, EP-3) are no facts.

import NetworkTypes

enum EndpointSliceDecoder {
    /// Nil for a sound slice that is no fact: one without an owner, or of FQDNs.
    static func decode(
        _ object: FieldValue, _ metadata: ObjectMetadata, problems: inout [FieldProblem]
    ) throws(FieldProblem) -> EndpointSlice? {
        let name = metadata.identity.name
        guard let type = try object.string("addressType") else { throw FieldProblem("addressType", "is missing") }
        guard type != "FQDN" else { return nil }
        guard let family = AddressFamily(kubernetesName: type) else {
            throw FieldProblem("addressType", "\(FieldValue.quoted(type)) is none of IPv4, IPv6 and FQDN")
        }
        guard let owner = try owner(metadata, &problems) else { return nil }
        var slice = EndpointSlice(name: name, service: owner, family: family)
        slice.isHeadless = try metadata.hasLabel("service.kubernetes.io/headless")
        slice.weight = try weight(metadata, &problems)
        slice.triggerTimeNanoseconds = triggerTime(metadata, &problems)
        slice.ports = try ports(object, &problems)
        let entries = try object.array("endpoints")
        slice.endpoints.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            var skipped: [FieldProblem] = []
            do throws(FieldProblem) {
                if let endpoint = try EndpointDecoder.decode(entry, family: family, problems: &skipped) {
                    slice.endpoints.append(endpoint)
                }
            } catch {
                throw error.under("endpoints[\(index)]")
            }
            for problem in skipped { problems.append(problem.under("endpoints[\(index)]")) }
        }
        return slice
    }

    private static func owner(
        _ metadata: ObjectMetadata, _ problems: inout [FieldProblem]
    ) throws(FieldProblem) -> ObjectName? {
        let key = "kubernetes.io/service-name"
        guard let owner = try metadata.label(key), !owner.isEmpty else {
            problems.append(
                FieldProblem(
                    "metadata.labels[\(key)]", "is missing: no Service owns this slice, and it is ignored (EP-2)"))
            return nil
        }
        return ObjectName(namespace: metadata.identity.name.namespace, name: owner)
    }

    private static func weight(
        _ metadata: ObjectMetadata, _ problems: inout [FieldProblem]
    ) throws(FieldProblem) -> UInt32 {
        let key = "martlet.dev/weight"
        guard let text = try metadata.annotation(key) else { return 1 }
        guard let weight = UInt32(text), (1...1000).contains(weight) else {
            problems.append(
                FieldProblem(
                    "metadata.annotations[\(key)]", "\(FieldValue.quoted(text)) is not within 1…1000; 1 is used instead"
                ))
            return 1
        }
        return weight
    }

    /// Of no importance for what is served: whatever is wrong with it costs the slice nothing.
    private static func triggerTime(_ metadata: ObjectMetadata, _ problems: inout [FieldProblem]) -> Int64? {
        let key = "endpoints.kubernetes.io/last-change-trigger-time"
        do throws(FieldProblem) {
            guard let text = try metadata.annotation(key) else { return nil }
            if let time = Timestamp.nanosecondsSince1970(text) { return time }
            let message = "\(FieldValue.quoted(text)) is not an RFC 3339 time; it is ignored (MET-3)"
            problems.append(FieldProblem("metadata.annotations[\(key)]", message))
        } catch {
            problems.append(error)
        }
        return nil
    }

    /// EP-6. A name that is absent is the empty name, which is what the API server makes of it; only an explicit null,
    /// as found in objects of other writers, makes the port unusable.
    private static func ports(
        _ object: FieldValue, _ problems: inout [FieldProblem]
    ) throws(FieldProblem) -> [SlicePort] {
        var ports: [SlicePort] = []
        for (index, entry) in try object.array("ports").enumerated() {
            do throws(FieldProblem) {
                guard case .object(let members) = entry else { throw entry.mismatch("", wanted: .object) }
                let number = try entry.port("port")
                let name = try entry.string("name") ?? ""
                guard members["name"] != .null, number != 0 else { continue }
                guard let kind = try ServicePorts.protocolKind(entry) else {
                    problems.append(ServicePorts.oddProtocol(entry).under("ports[\(index)]"))
                    continue
                }
                ports.append(SlicePort(name: name, protocol: kind, port: number))
            } catch {
                throw error.under("ports[\(index)]")
            }
        }
        return ports
    }
}
