// Within one service every frontend belongs to one port: the first that claims it (INV-8). Claims of other services are
// settled in FrontendClaims.

import NetworkTypes
import ServiceModel

struct FrontendCollector {
    private let service: ObjectName
    private let isCrowded: Bool
    private var owners: [FrontendAddress: String] = [:]
    private(set) var problems: [ObjectProblem] = []

    /// `isCrowded` when there are several ports, so that one can take a frontend from another.
    init(service: ObjectName, isCrowded: Bool) {
        self.service = service
        self.isCrowded = isCrowded
    }

    /// Those frontends that are still free, ordered by kind, address and port. Of equal ones the first counts.
    mutating func collect(_ frontends: consuming [FrontendPlan], of port: ServicePort) -> [FrontendPlan] {
        if frontends.count == 1, !isCrowded { return frontends }
        frontends.removeAll { frontend in
            let key = FrontendAddress(address: frontend.address, protocol: port.protocolKind)
            guard let owner = owners[key] else {
                owners[key] = port.name
                return false
            }
            if owner != port.name { report(frontend, of: port, takenBy: owner) }
            return true
        }
        frontends.sort { $0.precedes($1) }
        return frontends
    }

    private mutating func report(_ frontend: FrontendPlan, of port: ServicePort, takenBy owner: String) {
        problems.append(
            ObjectProblem(
                object: "Service \(service)", field: "spec.ports",
                message: "The \(frontend.kind) \(frontend.address)/\(port.protocolKind) of port '\(port.name)' "
                    + "is already that of port '\(owner)', which keeps it."))
    }
}

extension FrontendPlan {
    /// The order of frontends: by kind, address and port.
    func precedes(_ other: FrontendPlan) -> Bool {
        kind == other.kind ? address < other.address : kind.rawValue < other.kind.rawValue
    }
}
