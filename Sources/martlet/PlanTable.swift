// The plan as a table: one row for each frontend, service by service.

import Inspection
import LoadBalancing

struct PlanTable {
    private let table: TextTable

    init(_ report: PlanReport) {
        let columns: [TextTable.Column] = [
            .init("SERVICE"), .init("FRONTEND"), .init("KIND"), .init("INTERNAL"), .init("EXTERNAL"),
            .init("CLUSTER LIST"), .init("LOCAL LIST"),
        ]
        table = TextTable(columns: columns, rows: report.servicePorts.flatMap { port in Self.rows(of: port) })
    }

    var text: String { table.text }

    private static func rows(of port: ServicePortReport) -> [[String]] {
        let name = port.portName.isEmpty ? "" : ":\(port.portName)"
        return port.frontends.map { frontend in
            let host = frontend.address.contains(":") ? "[\(frontend.address)]" : frontend.address
            let isSameFamily = { (backend: String) in backend.hasPrefix("[") == host.hasPrefix("[") }
            return [
                "\(port.namespace)/\(port.service)\(name)", "\(host):\(frontend.port)/\(port.protocol)", frontend.kind,
                frontend.internalTo, frontend.externalTo,
                port.targetSets.cluster.filter(isSameFamily).joined(separator: " "),
                port.targetSets.local.filter(isSameFamily).joined(separator: " "),
            ]
        }
    }
}
