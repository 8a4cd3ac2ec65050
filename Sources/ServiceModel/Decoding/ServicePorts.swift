// The ports of a Service and the protocol names of both kinds of ports. targetPort is not read (PORT-4), nor
// appProtocol (PORT-8).

import NetworkTypes

enum ServicePorts {
    /// Longer names do not fit the datapath's records, which keep 64 bytes padded with NUL.
    static let nameLimit = 63

    /// The unit of programming is (name, protocol) (SVC-2): two ports may share neither that nor (number, protocol). Of
    /// two that do, the first is served and the other is a problem. The API server is stricter and wants names to differ
    /// whatever the protocol.
    static func decode(_ spec: FieldValue, problems: inout [FieldProblem]) throws(FieldProblem) -> [ServicePort] {
        var ports: [ServicePort] = []
        var numbers: Set<ServicePort> = []
        var names: Set<ServicePortName> = []
        for (index, entry) in try spec.array("ports").enumerated() {
            do throws(FieldProblem) {
                guard let port = try decode(port: entry, &problems, index) else { continue }
                if !names.insert(nameOnly(port)).inserted {
                    problems.append(sameName(port).under("ports[\(index)]"))
                } else if !numbers.insert(numberOnly(port)).inserted {
                    problems.append(sameNumber(port).under("ports[\(index)]"))
                } else {
                    ports.append(port)
                }
            } catch {
                throw error.under("ports[\(index)]")
            }
        }
        return ports
    }

    /// Nil, and a problem, when the protocol is none that we forward.
    private static func decode(
        port entry: FieldValue, _ problems: inout [FieldProblem], _ index: Int
    ) throws(FieldProblem) -> ServicePort? {
        guard case .object = entry else { throw entry.mismatch("", wanted: .object) }
        let name = try entry.string("name") ?? ""
        if !name.isEmpty { try ObjectMetadata.check(name, "name", limit: nameLimit) }
        let number = try entry.port("port")
        guard number != 0 else {
            throw FieldProblem("port", entry["port"] == nil ? "is missing" : "0 is not a port (1…65535)")
        }
        let nodePort = try entry.port("nodePort")
        guard let kind = try protocolKind(entry) else {
            problems.append(oddProtocol(entry).under("ports[\(index)]"))
            return nil
        }
        return ServicePort(name: name, protocol: kind, port: number, nodePort: nodePort)
    }

    /// The member `protocol` of a port of a Service or an EndpointSlice: TCP when unset (INV-6), nil when unknown.
    static func protocolKind(_ entry: FieldValue) throws(FieldProblem) -> TransportProtocol? {
        guard let text = try entry.string("protocol"), !text.isEmpty else { return .tcp }
        return TransportProtocol(kubernetesName: text)
    }

    static func oddProtocol(_ entry: FieldValue) -> FieldProblem {
        let text = entry["protocol"]?.forMessages ?? "null"
        return FieldProblem("protocol", "\(text) is none of TCP, UDP and SCTP; this port is skipped")
    }

    private static func sameName(_ port: ServicePort) -> FieldProblem {
        let name = FieldValue.quoted(port.name)
        return FieldProblem(
            "name", "\(name) is the name of an earlier \(port.protocolKind) port as well; this port is skipped")
    }

    private static func sameNumber(_ port: ServicePort) -> FieldProblem {
        FieldProblem("port", "\(port.port)/\(port.protocolKind) is an earlier port as well; this port is skipped")
    }

    private static func nameOnly(_ port: ServicePort) -> ServicePortName {
        ServicePortName(
            service: ObjectName(namespace: "", name: ""), portName: port.name, protocol: port.protocolKind)
    }

    private static func numberOnly(_ port: ServicePort) -> ServicePort {
        ServicePort(protocol: port.protocolKind, port: port.port)
    }
}
