// One datapath's handovers from and to kube-proxy (decision 16): what is recorded of the connections that the kernel
// translates, and the table that keeps it translating them. Taking over is in Takeover.swift, going back in Retreat.swift.

import BPF
package import Datapath
import Glibc
import Netlink
import SystemCalls

package struct Handover: ~Copyable {
    let maps: DatapathMaps
    private let lock: OpenDirectory

    /// The table that keeps the kernel translating, in family inet.
    package static let table = "martlet"

    /// Holds the handovers of a datapath until it is destroyed; one at a time does, for a moment.
    ///
    /// - Throws: `busy` after waiting for some seconds; `notInstalled`, `otherContract`.
    package init(of folder: PinFolder) throws(HandoverError) {
        let maps = try Self.open(folder)
        let lock = try Self.lock("\(folder.path)/maps")
        self.maps = maps
        self.lock = lock
    }

    private static func open(_ folder: PinFolder) throws(HandoverError) -> DatapathMaps {
        do throws(DatapathError) {
            return try DatapathMaps.open(folder)
        } catch {
            throw .datapath(error)
        }
    }

    private static func lock(_ path: String) throws(HandoverError) -> OpenDirectory {
        do throws(SystemError) {
            let directory = try OpenDirectory(path)
            for _ in 0..<lockAttempts {
                if try directory.tryLock(.exclusive) { return directory }
                usleep(lockPause)
            }
        } catch {
            throw .datapath(.kernel(BPFError(operation: "lock", object: path, errno: error.errno)))
        }
        throw .busy
    }

    private static let lockAttempts = 100
    /// Microseconds.
    private static let lockPause: useconds_t = 100_000

    package var state: HandoverState {
        get throws(HandoverError) { try datapath { () throws(BPFError) in try maps.handoverState() } }
    }

    /// Before anything is programmed that the kernel may be translating for: has what it translates left to it. What
    /// begins meanwhile is recorded by ``finishRecording()``.
    ///
    /// - Returns: how many connections there are.
    package func beginRecording() throws(HandoverError) -> Int {
        let state = try state
        try set(state.union([.holding, .beginning]))
        return try record()
    }

    /// When what was to be programmed is: nothing more begins, and everything is recorded.
    ///
    /// - Returns: how many connections the kernel goes on translating; none: there is nothing to hold.
    package func finishRecording() throws(HandoverError) -> Int {
        let state = try state.subtracting(.beginning)
        let count: Int
        do throws(HandoverError) {
            count = try record()
        } catch {
            // What has a record goes on; nothing is passed up for good because of the rest.
            try set(state)
            throw error
        }
        try set(count == 0 ? state.subtracting(.holding) : state)
        return count
    }

    /// Forgets connections that the kernel has forgotten. When none is left, what was kept for their sake goes.
    ///
    /// - Returns: how many are left; nil when nothing is held.
    package func sweep() throws(HandoverError) -> Int? {
        var state = try state
        guard state.contains(.holding), !state.contains(.beginning) else { return nil }
        let known = try datapath { () throws(BPFError) in try maps.kernelFlowDirections() }
        let left = try datapath { [connections = try Self.connections()] () throws(BPFError) in
            try maps.forgetKernelFlows(known, but: connections)
        }
        guard left == 0, !state.contains(.leaving) else { return left }
        if state.contains(.taken) { try stopHolding() }
        state.subtract(.holding)
        try set(state)
        return 0
    }

    /// Takes away the table, if it is there, and what of kube-proxy's was kept for connections, if nobody has put
    /// kube-proxy's rules back.
    private func stopHolding() throws(HandoverError) {
        try Self.removeTable()
        try netfilter { () throws(NetlinkError) in
            let rules = try KubeProxyRules.find()
            if !rules.translate { try rules.remove() }
        }
    }

    /// - Returns: whether it was there.
    @discardableResult
    package static func removeTable() throws(HandoverError) -> Bool {
        try netfilter { () throws(NetlinkError) in
            guard try isTableThere() else { return false }
            var kernel = try NetfilterRules()
            try kernel.remove([.table(NetfilterTable(.inet, Self.table))])
            return true
        }
    }

    package static func hasTable() throws(HandoverError) -> Bool {
        try netfilter { () throws(NetlinkError) in try isTableThere() }
    }

    private static func isTableThere() throws(NetlinkError) -> Bool {
        do throws(NetlinkError) {
            var kernel = try NetfilterRules()
            return try kernel.tables().contains(NetfilterTable(.inet, table))
        } catch {
            guard error.isAbsentSubsystem else { throw error }
            return false
        }
    }

    // MARK: For takeover and retreat

    func set(_ state: HandoverState) throws(HandoverError) {
        try datapath { () throws(BPFError) in try maps.setHandover(state) }
    }

    /// Records what the kernel translates now.
    func record() throws(HandoverError) -> Int {
        let connections = try Self.connections()
        do throws(BPFError) {
            return try maps.leaveToKernel(connections, patience: .current())
        } catch {
            guard error.isFull else { throw .datapath(.kernel(error)) }
            throw .tooMany(connections: connections.count, room: Int(maps.kernelFlows.maxEntries))
        }
    }

    static func connections() throws(HandoverError) -> [TranslatedConnection] {
        try netfilter { () throws(NetlinkError) in
            do throws(NetlinkError) {
                var table = try TranslationTable()
                return try table.connections()
            } catch {
                guard error.isAbsentSubsystem else { throw error }
                return []
            }
        }
    }
}
