// The ports of a service that can be programmed. A later port never disturbs an earlier one, and a bad one never the
// others (INV-8).

import NetworkTypes
import ServiceModel

enum PortCheck {
    /// In the order of the service, without those that have no number, repeat the name and protocol of an earlier one
    /// (they would be the same service port, SVC-2), or its number and protocol (the same frontends).
    static func distinctPorts(of service: Service, problems: inout [ObjectProblem]) -> [ServicePort] {
        if service.ports.count == 1, service.ports[0].port != 0 { return service.ports }
        var names: Set<Name> = []
        var numbers: Set<Number> = []
        return service.ports.enumerated().compactMap { index, port in
            let place = "spec.ports[\(index)]"
            guard port.port != 0 else {
                problems.append(service.problem("\(place).port", "The port has no number; it is left out."))
                return nil
            }
            guard names.insert(Name(name: port.name, protocolKind: port.protocolKind)).inserted else {
                problems.append(
                    service.problem(
                        "\(place).name",
                        "The name '\(port.name)' with \(port.protocolKind) occurs twice; the first port keeps it, "
                            + "this one is left out."))
                return nil
            }
            guard numbers.insert(Number(port: port.port, protocolKind: port.protocolKind)).inserted else {
                problems.append(
                    service.problem(
                        "\(place).port",
                        "The number \(port.port)/\(port.protocolKind) occurs twice; the first port keeps it, "
                            + "this one is left out."))
                return nil
            }
            return port
        }
    }

    private struct Name: Hashable {
        var name: String
        var protocolKind: TransportProtocol
    }

    private struct Number: Hashable {
        var port: UInt16
        var protocolKind: TransportProtocol
    }
}
