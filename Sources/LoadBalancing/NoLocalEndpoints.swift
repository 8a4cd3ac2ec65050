// How many service ports are dropped here because of a Local policy (REJ-6, MET-6): usable endpoints elsewhere, none on
// this node. Ports without any endpoint are refused, and do not count.

package import NetworkTypes

package struct NoLocalEndpoints: Hashable, Sendable {
    package var `internal` = PerFamily { _ in 0 }
    package var external = PerFamily { _ in 0 }

    package init() {}

    /// Adds a port, or with `by: -1` takes it back.
    mutating func count(_ port: ServicePortPlan, by step: Int) {
        for family in port.families {
            if family.frontends.contains(where: { $0.kind == .clusterIP && $0.internalTo == .drop }) {
                `internal`[family.family] += step
            }
            if family.frontends.contains(where: { $0.kind != .clusterIP && $0.externalTo == .drop }) {
                external[family.family] += step
            }
        }
    }
}
