// Why a frontend is not as its plan wants it. The record that it had before, if any, stays in force.

package import ServiceModel

package struct FrontendFailure: Error, Hashable, Sendable {
    package enum Reason: Error, Hashable, Sendable {
        case frontendsFull(limit: Int)
        case backendsFull(limit: Int)
        /// No free range of so many words is left in the arena.
        case slotsFull(wordsWanted: Int, limit: Int)
        case servicesFull(limit: Int)
        case nodePortsFull(limit: Int)
        case sourceRangesFull(limit: Int)
        /// Another service port holds the frontend and has not given it up (SVC-15).
        case heldByOther(ServicePortName)
    }

    package var key: FrontendKey
    /// Nil for the wildcard of a virtual address, which belongs to all its service ports.
    package var service: ServicePortName?
    package var reason: Reason

    package init(key: FrontendKey, service: ServicePortName?, reason: Reason) {
        self.key = key
        self.service = service
        self.reason = reason
    }
}

extension FrontendFailure.Reason: CustomStringConvertible {
    package var description: String {
        switch self {
        case .frontendsFull(let limit): "map frontends is full: it holds \(limit) entries"
        case .backendsFull(let limit): "map backends is full: it holds \(limit) elements"
        case .slotsFull(let words, let limit):
            "map slots is full: no \(words) words in a row are free of \(limit)"
        case .servicesFull(let limit): "map services is full: it holds \(limit) entries"
        case .nodePortsFull(let limit): "map node_ports is full: it holds \(limit) entries"
        case .sourceRangesFull(let limit): "map source_ranges is full: it holds \(limit) entries"
        case .heldByOther(let owner): "the frontend belongs to service port \(owner)"
        }
    }
}

extension FrontendFailure: CustomStringConvertible {
    package var description: String {
        let whose = service.map { " of service port \($0)" } ?? ""
        return "frontend \(key)\(whose) is not programmed: \(reason)"
    }
}
