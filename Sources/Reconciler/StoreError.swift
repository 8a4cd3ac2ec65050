// A write to the datapath, or a read, that the kernel refused: which map, which operation, which entries, why.

package struct StoreError: Error, Hashable, Sendable {
    package enum Map: String, Hashable, Sendable, CaseIterable {
        case frontends
        case backends
        case slots
        case services
        case nodePorts = "node_ports"
        case serviceCIDRs = "service_cidrs"
        case sourceRanges = "source_ranges"
        case affinity
        case flows
        /// Stale sockets, found through `connections` and `udp_pages`.
        case sockets
    }

    package enum Operation: String, Hashable, Sendable {
        case read
        case write
        case delete
        case destroy
    }

    /// Which entries of the argument failed.
    package enum Extent: Hashable, Sendable {
        case everything
        /// Positions in the argument, ascending, not empty. All the others succeeded.
        case entries([Int])
    }

    package var map: Map
    package var operation: Operation
    /// The kernel's error number; zero when there is none.
    package var errno: Int32
    package var failed: Extent
    /// What the error number means, or what else went wrong, in words.
    package var reason: String

    package init(map: Map, operation: Operation, errno: Int32, failed: Extent = .everything, reason: String) {
        self.map = map
        self.operation = operation
        self.errno = errno
        self.failed = failed
        self.reason = reason
    }
}

extension StoreError {
    /// The positions that failed, of an argument with so many entries.
    package func positions(of count: Int) -> [Int] {
        switch failed {
        case .everything: Array(0..<count)
        case .entries(let positions): positions
        }
    }
}

extension StoreError: CustomStringConvertible {
    package var description: String {
        let extent =
            switch failed {
            case .everything: ""
            case .entries(let positions): " of \(positions.count) \(positions.count == 1 ? "entry" : "entries")"
            }
        let number = errno == 0 ? "" : " (errno \(errno))"
        return "map \(map.rawValue): \(operation.rawValue)\(extent) failed: \(reason)\(number)"
    }
}
