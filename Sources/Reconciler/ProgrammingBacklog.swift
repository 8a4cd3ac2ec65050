// What is left of a big change: service ports whose plans are made and not programmed yet, handed out in pieces. Pure.
// What is known of each service port is there once, so it grows no further than the plan itself.

package import LoadBalancing
import ServiceModel

package struct ProgrammingBacklog: Sendable {
    /// Service ports of a piece: so many are programmed in about 20 ms, and bursts of ordinary size are not divided.
    package static let pieceSize = 1024

    /// Distinct names; those before `head` have been handed out.
    private var ports: [PlanChange.Port] = []
    private var head = 0
    /// Names in `ports` that have been programmed with a newer plan.
    private var superseded: Set<ServicePortName> = []

    package init() {}

    package var isEmpty: Bool { head == ports.count }

    /// Puts a big change behind what is there; its plans are newer.
    package mutating func add(_ newer: [PlanChange.Port]) {
        guard !isEmpty else {
            ports = newer
            return
        }
        superseded.formUnion(newer.lazy.map(\.name))
        let rest = ports[head...].filter { !superseded.contains($0.name) }
        ports = rest + newer
        head = 0
        superseded = []
    }

    /// These are programmed now with newer plans; what is here of them is not to be programmed any more.
    package mutating func supersede(_ newer: [PlanChange.Port]) {
        guard !isEmpty else { return }
        superseded.formUnion(newer.lazy.map(\.name))
    }

    /// The next piece; empty when nothing is left.
    package mutating func next(_ size: Int = pieceSize) -> [PlanChange.Port] {
        var piece: [PlanChange.Port] = []
        while piece.count < size, head < ports.count {
            let end = min(ports.count, head + size - piece.count)
            piece +=
                superseded.isEmpty
                ? Array(ports[head..<end])
                : ports[head..<end].filter { !superseded.contains($0.name) }
            head = end
        }
        if isEmpty { self = ProgrammingBacklog() }
        return piece
    }
}

extension PlanChange {
    /// Whether it is to be programmed in pieces. A change in which a frontend is given up stays whole: it may pass to
    /// another service port, and would be nobody's between two pieces (SYNC-9).
    package var isDivisible: Bool { changed.count > ProgrammingBacklog.pieceSize && !surrendersFrontends }
}
