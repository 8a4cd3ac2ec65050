// Gives a Service its cluster IPs and ports, or says what is not to be had. Works on copies of the pools, so that a
// refused service takes nothing.

import NetworkTypes

struct ServiceAllocation {
    var addresses: AddressPool
    var ports: PortPool
    private(set) var causes: [APIStatus.Cause] = []

    init(addresses: AddressPool, ports: PortPool) {
        self.addresses = addresses
        self.ports = ports
    }

    mutating func release(_ service: JSON) {
        let spec = service["spec"] ?? [:]
        for address in (spec["clusterIPs"]?.strings ?? []).compactMap({ IPAddress($0) }) { addresses.release(address) }
        for port in spec["ports"]?.array ?? [] {
            ports.release(port["nodePort"]?.integer ?? 0, port["protocol"]?.string ?? "TCP")
        }
        ports.release(spec["healthCheckNodePort"]?.integer ?? 0, "health")
    }

    mutating func allocate(_ service: JSON) -> JSON {
        var spec = service["spec"] ?? [:]
        let type = spec["type"]?.string ?? "ClusterIP"
        if type == "ExternalName" {
            for name in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] { spec[name] = nil }
        } else {
            clusterIPs(&spec)
        }
        let hasNodePorts =
            type == "NodePort" || (type == "LoadBalancer" && spec["allocateLoadBalancerNodePorts"] != false)
        if let list = spec["ports"]?.array {
            spec["ports"] = .array(
                list.enumerated().map { nodePort($0.element, $0.offset, wanted: hasNodePorts, type: type) })
        }
        if type == "LoadBalancer", spec["externalTrafficPolicy"] == "Local" {
            healthCheckPort(&spec)
        } else {
            spec["healthCheckNodePort"] = nil
        }
        var result = service
        result["spec"] = spec
        return result
    }

    private mutating func clusterIPs(_ spec: inout JSON) {
        var wanted = spec["clusterIPs"]?.strings ?? []
        if wanted.isEmpty, let first = spec["clusterIP"]?.string, !first.isEmpty { wanted = [first] }
        let families = families(&spec, wanted)
        if wanted.first == "None" {
            spec["clusterIP"] = "None"
            spec["clusterIPs"] = ["None"]
            return
        }
        var given: [String] = []
        for (index, family) in families.enumerated() {
            if index < wanted.count {
                guard let address = IPAddress(wanted[index]) else {
                    refuse("spec.clusterIPs[\(index)]", wanted[index], "must be a valid IP address")
                    continue
                }
                if !addresses.take(address) {
                    let list = JSON.array(wanted.map(JSON.string)).text
                    refuse(
                        "spec.clusterIPs",
                        "Invalid value: \(list): failed to allocate IP \(address): provided IP is already allocated")
                }
                given.append(wanted[index])
            } else if let address = addresses.allocate(family) {
                given.append("\(address)")
            } else {
                refuse("spec.clusterIPs", "Internal error: no free \(family) address is left")
            }
        }
        spec["clusterIP"] = .string(given.first ?? "")
        spec["clusterIPs"] = .array(given.map(JSON.string))
    }

    /// The families of the service by its policy, written down in it.
    private func families(_ spec: inout JSON, _ wanted: [String]) -> [AddressFamily] {
        var families = (spec["ipFamilies"]?.strings ?? []).compactMap { name in
            AddressFamily.allCases.first { "\($0)" == name }
        }
        if families.isEmpty { families = wanted.compactMap { IPAddress($0)?.family } }
        if families.isEmpty { families = Array(addresses.families.prefix(1)) }
        let policy = spec["ipFamilyPolicy"]?.string ?? (families.count > 1 ? "RequireDualStack" : "SingleStack")
        spec["ipFamilyPolicy"] = .string(policy)
        if policy == "SingleStack" { families = Array(families.prefix(1)) }
        if policy != "SingleStack", families.count == 1 {
            families += addresses.families.filter { $0 != families[0] }
        }
        spec["ipFamilies"] = .array(families.map { .string("\($0)") })
        return families
    }

    private mutating func nodePort(_ port: JSON, _ index: Int, wanted: Bool, type: String) -> JSON {
        var port = port
        let protocolName = port["protocol"]?.string ?? "TCP"
        let number = port["nodePort"]?.integer ?? 0
        if !["NodePort", "LoadBalancer"].contains(type) {
            port["nodePort"] = nil
        } else if number != 0 {
            let place = "spec.ports[\(index)].nodePort"
            if ports.contains(number, protocolName) {
                refuse(place, String(number), "provided port is already allocated")
            } else if !ports.allows(number) {
                refuse(place, String(number), "provided port is not in the valid range")
            }
            ports.take(number, protocolName)
        } else if wanted {
            port["nodePort"] = .integer(ports.allocate(protocolName) ?? 0)
        }
        return port
    }

    private mutating func healthCheckPort(_ spec: inout JSON) {
        let number = spec["healthCheckNodePort"]?.integer ?? 0
        if number == 0 {
            spec["healthCheckNodePort"] = .integer(ports.allocate("health") ?? 0)
        } else if ports.contains(number, "health") || !ports.allows(number) {
            refuse("spec.healthCheckNodePort", String(number), "provided port is already allocated or out of range")
        } else {
            ports.take(number, "health")
        }
    }

    private mutating func refuse(_ field: String, _ message: String) {
        causes.append(.init(reason: "FieldValueInvalid", message: message, field: field))
    }

    private mutating func refuse(_ field: String, _ value: String, _ problem: String) {
        refuse(field, "Invalid value: \(value): \(problem)")
    }
}
