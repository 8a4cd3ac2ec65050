// kube-proxy's rules among those of nf_tables, which iptables-nft's are too: found by the names that they have, and
// removed so that whatever else is there stays (COEX-1).

package import Netlink

package struct KubeProxyRules: Hashable, Sendable {
    /// Of nftables mode.
    package private(set) var tables: [NetfilterTable] = []
    /// Of iptables mode, to be removed with their rules.
    package private(set) var chains: [NetfilterChain] = []
    /// Rules in chains of others that lead to them.
    package private(set) var jumps: [NetfilterRule] = []
    /// Chains of kube-proxy's that stay, since rules in chains of somebody else's lead to them, or because they are
    /// still needed.
    package private(set) var kept: [NetfilterChain] = []

    package var isEmpty: Bool { tables.isEmpty && chains.isEmpty && jumps.isEmpty }

    /// Whether packets are translated by them.
    package var translate: Bool {
        !tables.isEmpty || chains.contains { $0.table.name == "nat" && $0.name == KubeProxyChains.entry }
    }

    /// In the network namespace of the calling thread.
    ///
    /// - Parameter keepsForwarding: what lets connections through that are still going on stays, where nothing else may.
    package static func find(keepsForwarding: Bool = false) throws(NetlinkError) -> KubeProxyRules {
        do throws(NetlinkError) {
            return try read(keepsForwarding)
        } catch {
            guard error.isAbsentSubsystem else { throw error }
            return KubeProxyRules()
        }
    }

    private static func read(_ keepsForwarding: Bool) throws(NetlinkError) -> KubeProxyRules {
        var kernel = try NetfilterRules()
        var found = KubeProxyRules()
        found.tables = try kernel.tables().filter { $0.name == KubeProxyChains.table && $0.family != .inet }
        let all = try kernel.chains()
        for (table, chains) in Dictionary(grouping: all, by: \.table).sorted(by: { "\($0.key)" < "\($1.key)" })
        where table.family != .inet && KubeProxyChains.iptablesTables.contains(table.name) {
            let own = chains.filter { !$0.isBase && KubeProxyChains.contains($0.name) }
            guard !own.isEmpty else { continue }
            let forwardDrops = chains.contains { $0.isBase && $0.name == "FORWARD" && $0.drops }
            found.add(
                own, bases: Set(chains.filter(\.isBase).map(\.name)), rules: try kernel.rules(of: table),
                keepsForwarding: keepsForwarding && forwardDrops)
        }
        return found
    }

    private mutating func add(
        _ own: [NetfilterChain], bases: Set<String>, rules: [NetfilterRule], keepsForwarding: Bool
    ) {
        let names = Set(own.map(\.name))
        // What is reached from outside, and all that is reached from there.
        var needed: Set<String> = keepsForwarding ? [KubeProxyChains.forwarding] : []
        for rule in rules where !names.contains(rule.chain) && !bases.contains(rule.chain) {
            needed.formUnion(rule.targets)
        }
        var isGrowing = true
        while isGrowing {
            let reached = rules.filter { needed.contains($0.chain) }.flatMap(\.targets)
            isGrowing = !needed.isSuperset(of: reached)
            needed.formUnion(reached)
        }
        let (stay, go) = (own.filter { needed.contains($0.name) }, own.filter { !needed.contains($0.name) })
        let gone = Set(go.map(\.name))
        chains += go.sorted { $0.name < $1.name }
        kept += stay.sorted { $0.name < $1.name }
        jumps += rules.filter { bases.contains($0.chain) && !gone.isDisjoint(with: $0.targets) }
    }

    /// Removes them. What leads to them goes first, at once; their chains follow some at a time, since there may be
    /// hundreds of thousands and nothing leads to them any more. Killed in between, the next call goes on.
    ///
    /// - Throws: what the kernel refused; a chain that somebody's rule has come to lead to meanwhile is in use (EBUSY).
    package func remove() throws(NetlinkError) {
        var kernel = try NetfilterRules()
        try kernel.remove(
            tables.map { .table($0) } + jumps.map { .rule($0.table, $0.chain, $0.handle) })
        // Rules of one chain lead to others, so that all rules go before the first chain.
        for chunk in Self.chunks(chains) { try kernel.remove(chunk.map { .rules($0.table, $0.name) }) }
        for chunk in Self.chunks(chains) { try kernel.remove(chunk.map { .chain($0.table, $0.name) }) }
    }

    /// What fits into one message.
    private static func chunks(_ chains: [NetfilterChain]) -> [ArraySlice<NetfilterChain>] {
        stride(from: 0, to: chains.count, by: 1000).map { chains[$0..<min($0 + 1000, chains.count)] }
    }
}
