// What the API server refuses in an object that has the right shape: the rules that clients of Services, EndpointSlices
// and Events meet, in its words. It is not complete: what is not here is accepted.

import NetworkTypes

enum Validation {
    static func causes(_ resource: Resource, _ json: JSON) -> [APIStatus.Cause] {
        var found = Findings()
        let name = json.at("metadata", "name")?.string ?? ""
        if name.isEmpty {
            found.required("metadata.name")
        } else if resource == .services, !isLabel(name) {
            found.invalid(
                "metadata.name", JSON.string(name).text,
                """
                a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
                end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
                '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
                """)
        } else if !name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ isLabel(String($0)) }) {
            found.invalid("metadata.name", JSON.string(name).text, "a lowercase RFC 1123 subdomain is expected")
        }
        switch resource {
        case .services: service(json["spec"] ?? [:], &found)
        case .endpointSlices: slice(json, &found)
        case .events: event(json, &found)
        case .serviceCIDRs: serviceCIDR(json, &found)
        case .nodes, .namespaces: break
        }
        return found.causes
    }

    private struct Findings {
        var causes: [APIStatus.Cause] = []

        mutating func required(_ field: String) {
            causes.append(.init(reason: "FieldValueRequired", message: "Required value", field: field))
        }

        mutating func invalid(_ field: String, _ value: String, _ problem: String) {
            causes.append(
                .init(reason: "FieldValueInvalid", message: "Invalid value: \(value): \(problem)", field: field))
        }

        mutating func unsupported(_ field: String, _ value: String, _ supported: [String]) {
            let list = supported.map { "\"\($0)\"" }.joined(separator: ", ")
            causes.append(
                .init(
                    reason: "FieldValueNotSupported",
                    message: "Unsupported value: \"\(value)\": supported values: \(list)", field: field))
        }

        mutating func port(_ field: String, _ value: JSON?) {
            if case .integer(let number)? = value, !(1...65535).contains(number) {
                invalid(field, String(number), "must be between 1 and 65535, inclusive")
            }
        }

        mutating func oneOf(_ field: String, _ value: JSON?, _ supported: [String]) {
            if let text = value?.string, !supported.contains(text) { unsupported(field, text, supported) }
        }
    }

    private static func isLabel(_ text: String) -> Bool {
        let isInner = { (byte: UInt8) in (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2d }
        return (1...63).contains(text.utf8.count) && text.utf8.allSatisfy(isInner)
            && !text.hasPrefix("-") && !text.hasSuffix("-")
    }

    private static func service(_ spec: JSON, _ found: inout Findings) {
        let ports = spec["ports"]?.array ?? []
        let type = spec["type"]?.string ?? "ClusterIP"
        if ports.isEmpty, type != "ExternalName", spec["clusterIP"] != "None" { found.required("spec.ports") }
        for (index, port) in ports.enumerated() {
            let place = "spec.ports[\(index)]"
            if ports.count > 1, ServiceDefaults.isUnset(port["name"]) { found.required("\(place).name") }
            found.port("\(place).port", port["port"] ?? 0)
            found.oneOf("\(place).protocol", port["protocol"], ["SCTP", "TCP", "UDP"])
            found.port("\(place).targetPort", port["targetPort"])
            if ports[..<index].contains(where: { $0["port"] == port["port"] && $0["protocol"] == port["protocol"] }) {
                found.causes.append(.init(reason: "FieldValueDuplicate", message: "Duplicate value", field: place))
            }
        }
        found.oneOf("spec.type", spec["type"], ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"])
        found.oneOf("spec.sessionAffinity", spec["sessionAffinity"], ["ClientIP", "None"])
        found.oneOf("spec.externalTrafficPolicy", spec["externalTrafficPolicy"], ["Cluster", "Local"])
        found.oneOf("spec.internalTrafficPolicy", spec["internalTrafficPolicy"], ["Cluster", "Local"])
        found.oneOf(
            "spec.ipFamilyPolicy", spec["ipFamilyPolicy"], ["PreferDualStack", "RequireDualStack", "SingleStack"])
        for (index, text) in (spec["externalIPs"]?.strings ?? []).enumerated() where IPAddress(text) == nil {
            found.invalid("spec.externalIPs[\(index)]", "\"\(text)\"", "must be a valid IP address")
        }
    }

    private static func slice(_ slice: JSON, _ found: inout Findings) {
        let type = slice["addressType"]?.string ?? ""
        if type.isEmpty {
            found.required("addressType")
        } else {
            found.oneOf("addressType", slice["addressType"], ["FQDN", "IPv4", "IPv6"])
        }
        for (index, endpoint) in (slice["endpoints"]?.array ?? []).enumerated() {
            let addresses = endpoint["addresses"]?.strings ?? []
            if addresses.isEmpty { found.required("endpoints[\(index)].addresses") }
            guard type != "FQDN" else { continue }
            for (number, text) in addresses.enumerated() where IPAddress(text).map({ "\($0.family)" }) != type {
                found.invalid(
                    "endpoints[\(index)].addresses[\(number)]", "\"\(text)\"", "must be a valid \(type) address")
            }
        }
        for (index, port) in (slice["ports"]?.array ?? []).enumerated() {
            found.port("ports[\(index)].port", port["port"])
            found.oneOf("ports[\(index)].protocol", port["protocol"], ["SCTP", "TCP", "UDP"])
        }
    }

    private static func event(_ event: JSON, _ found: inout Findings) {
        // Events of the core group have no eventTime of their own, and are not checked for it.
        guard event["deprecatedFirstTimestamp"]?.string == nil else { return }
        if event["eventTime"]?.string == nil { found.required("eventTime") }
        let type = event["type"]?.string ?? ""
        if !["Normal", "Warning"].contains(type) {
            found.invalid("type", JSON.string(type).text, "has invalid value: \(type)")
        }
        // An event without a time is looked at as one of old, which had less in it.
        guard event["eventTime"]?.string != nil else { return }
        if event.at("regarding", "namespace")?.string == nil,
            !["default", "kube-system"].contains(event.at("metadata", "namespace")?.string ?? "")
        {
            found.invalid("involvedObject.namespace", "\"\"", "does not match event.namespace")
        }
        for field in ["reportingController", "reportingInstance", "action", "reason"] {
            let text = event[field]?.string ?? ""
            if text.isEmpty { found.required(field) }
            if field != "reportingController", text.utf8.count > 128 {
                found.invalid(field, "\"\"", "can have at most 128 characters")
            }
        }
        if (event["note"]?.string ?? "").utf8.count > 1024 {
            found.invalid("message", "\"\"", "can have at most 1024 characters")
        }
        guard let series = event["series"], !series.isNull else { return }
        if (series["count"]?.integer ?? 0) < 2 { found.invalid("series.count", "\"\"", "should be at least 2") }
        if series["lastObservedTime"]?.string == nil { found.required("series.lastObservedTime") }
    }

    /// Of an event, only the series may change.
    static func changes(ofEvent event: JSON, from old: JSON) -> [APIStatus.Cause] {
        let fixed = [
            ("regarding", "involvedObject"), ("reason", "reason"), ("note", "message"),
            ("reportingController", "reportingController"), ("reportingInstance", "reportingInstance"),
            ("action", "action"), ("type", "type"), ("eventTime", "eventTime"),
        ]
        return fixed.filter { event[$0.0] != old[$0.0] }.map { field, name in
            .init(
                reason: "FieldValueInvalid",
                message: "Invalid value: \((event[field] ?? .null).text): field is immutable", field: name)
        }
    }

    private static func serviceCIDR(_ json: JSON, _ found: inout Findings) {
        let ranges = json["spec"]?["cidrs"]?.strings ?? []
        if ranges.isEmpty { found.required("spec.cidrs") }
        for (index, text) in ranges.enumerated() where CIDR(text) == nil {
            found.invalid("spec.cidrs[\(index)]", "\"\(text)\"", "must be a valid CIDR value")
        }
    }
}
