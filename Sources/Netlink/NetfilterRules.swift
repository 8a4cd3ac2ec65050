// Tables, chains and rules of nf_tables in one network namespace, as far as finding and removing those of somebody needs
// them. What iptables-nft writes is here too: its tables are nf_tables' own. Whose they are is the caller's to know.

import CLibMNL
import Glibc

/// The families of tables that packets of IP pass through (`NFPROTO_…`).
package enum NetfilterFamily: UInt8, CaseIterable, Sendable, CustomStringConvertible {
    /// Both of the others.
    case inet = 1
    case ipv4 = 2
    case ipv6 = 10

    /// As nft(8) says it.
    package var description: String {
        switch self {
        case .inet: "inet"
        case .ipv4: "ip"
        case .ipv6: "ip6"
        }
    }
}

package struct NetfilterTable: Hashable, Sendable, CustomStringConvertible {
    package var family: NetfilterFamily
    package var name: String

    package init(_ family: NetfilterFamily, _ name: String) {
        self.family = family
        self.name = name
    }

    package var description: String { "\(family) \(name)" }
}

package struct NetfilterChain: Hashable, Sendable, CustomStringConvertible {
    package var table: NetfilterTable
    package var name: String
    /// Packets enter it by a hook, and not from another chain alone.
    package var isBase: Bool
    /// What reaches its end is dropped.
    package var drops: Bool

    package init(_ table: NetfilterTable, _ name: String, isBase: Bool = false, drops: Bool = false) {
        self.table = table
        self.name = name
        self.isBase = isBase
        self.drops = drops
    }

    package var description: String { "\(table) \(name)" }
}

package struct NetfilterRule: Hashable, Sendable {
    package var table: NetfilterTable
    package var chain: String
    package var handle: UInt64
    /// The chains that it sends packets to, by jump or goto.
    package var targets: [String]

    package init(_ table: NetfilterTable, chain: String, handle: UInt64, targets: [String]) {
        self.table = table
        self.chain = chain
        self.handle = handle
        self.targets = targets
    }
}

/// One removal.
package enum NetfilterRemoval: Hashable, Sendable {
    case table(NetfilterTable)
    case chain(NetfilterTable, String)
    /// All rules of a chain.
    case rules(NetfilterTable, String)
    case rule(NetfilterTable, String, UInt64)
}

/// Asks for the rules of the network namespace of the thread that opened it, and removes some.
package struct NetfilterRules: ~Copyable, Sendable {
    private var socket: NetlinkSocket

    package init() throws(NetlinkError) {
        socket = try NetlinkSocket(bus: NETLINK_NETFILTER)
    }

    /// Every table of the three families.
    package mutating func tables() throws(NetlinkError) -> [NetfilterTable] {
        try list(NFT_MSG_GETTABLE, "list the nftables tables of").compactMap { message in
            guard let family = message.netfilterFamily,
                let name = message.attributes(after: 4)[UInt16(NFTA_TABLE_NAME.rawValue)]?.text
            else { return nil }
            return NetfilterTable(family, name)
        }
    }

    /// Every chain of the three families.
    package mutating func chains() throws(NetlinkError) -> [NetfilterChain] {
        try list(NFT_MSG_GETCHAIN, "list the nftables chains of").compactMap { message in
            let attributes = message.attributes(after: 4)
            guard let family = message.netfilterFamily,
                let table = attributes[UInt16(NFTA_CHAIN_TABLE.rawValue)]?.text,
                let name = attributes[UInt16(NFTA_CHAIN_NAME.rawValue)]?.text
            else { return nil }
            let policy = attributes[UInt16(NFTA_CHAIN_POLICY.rawValue)]?.number(UInt32.self)
            return NetfilterChain(
                NetfilterTable(family, table), name, isBase: attributes[UInt16(NFTA_CHAIN_HOOK.rawValue)] != nil,
                drops: policy == 0)
        }
    }

    /// The rules of one table, in order. Cost: that of reading all of them.
    package mutating func rules(of table: NetfilterTable) throws(NetlinkError) -> [NetfilterRule] {
        var request = Self.request(NFT_MSG_GETRULE, table.family.rawValue, NLM_F_DUMP)
        request.append(NFTA_RULE_TABLE.rawValue, text: table.name)
        return try socket.dump(request, "list the rules of table \(table) of").compactMap { message in
            let attributes = message.attributes(after: 4)
            // Kernels that do not know the filter tell of every table.
            guard attributes[UInt16(NFTA_RULE_TABLE.rawValue)]?.text == table.name,
                let chain = attributes[UInt16(NFTA_RULE_CHAIN.rawValue)]?.text,
                let handle = attributes[UInt16(NFTA_RULE_HANDLE.rawValue)]?.number(UInt64.self)
            else { return nil }
            return NetfilterRule(
                table, chain: chain, handle: handle,
                targets: Self.targets(attributes[UInt16(NFTA_RULE_EXPRESSIONS.rawValue)] ?? []))
        }
    }

    /// Removes all of this at once, or nothing of it.
    ///
    /// - Throws: `isNotFound` when something is gone already; EBUSY for a chain that somebody's rule leads to; ENOBUFS or
    ///   EMSGSIZE for more than fits into one message: some thousands.
    package mutating func remove(_ removals: [NetfilterRemoval]) throws(NetlinkError) {
        guard !removals.isEmpty else { return }
        try commit(removals.map(Self.request), "remove nftables rules of")
    }

    /// Makes a table whose only purpose is that the kernel keeps translating connections that it has begun to translate
    /// when everybody else's rules for that are gone: connection tracking and NAT are at work in a network namespace for
    /// as long as a rule asks for the one and a chain for the other.
    ///
    /// Nothing happens to packets in it: its chains have no rules but one that looks at a connection's state.
    package mutating func keepTranslating(by name: String) throws(NetlinkError) {
        let table = NetfilterTable(.inet, name)
        // Replaced as a whole, whatever half of it is there.
        var requests = [Self.tableRequest(table), Self.request(.table(table)), Self.tableRequest(table)]
        for hook in TranslationHook.allCases { requests.append(Self.request(hook, in: table)) }
        requests.append(Self.watchRequest(table, TranslationHook.incoming.rawValue))
        try commit(requests, "make nftables table \(table) in")
    }

    // MARK: Messages

    private mutating func list(_ message: nf_tables_msg_types, _ operation: String) throws(NetlinkError)
        -> [NetlinkMessage]
    {
        var all: [NetlinkMessage] = []
        for family in NetfilterFamily.allCases {
            all += try socket.dump(Self.request(message, family.rawValue, NLM_F_DUMP), operation)
                .filter { $0.netfilterFamily == family }
        }
        return all
    }

    /// A transaction: between a message that begins it and one that ends it.
    private mutating func commit(_ requests: [NetlinkRequest], _ operation: String) throws(NetlinkError) {
        let subsystem = UInt16(NFNL_SUBSYS_NFTABLES)
        func frame(_ type: Int32) -> NetlinkRequest {
            NetlinkRequest(netfilter: 0, UInt32(type), family: UInt8(AF_UNSPEC), resource: subsystem)
        }
        var batch = [frame(NFNL_MSG_BATCH_BEGIN)] + requests
        batch[batch.count - 1].acknowledge()
        try socket.batch(batch + [frame(NFNL_MSG_BATCH_END)], operation)
    }

    private static func request(_ message: nf_tables_msg_types, _ family: UInt8, _ flags: Int32) -> NetlinkRequest {
        NetlinkRequest(netfilter: NFNL_SUBSYS_NFTABLES, message.rawValue, family: family, flags: flags)
    }

    private static func request(_ removal: NetfilterRemoval) -> NetlinkRequest {
        switch removal {
        case .table(let table):
            var request = request(NFT_MSG_DELTABLE, table.family.rawValue, 0)
            request.append(NFTA_TABLE_NAME.rawValue, text: table.name)
            return request
        case .chain(let table, let name):
            var request = request(NFT_MSG_DELCHAIN, table.family.rawValue, 0)
            request.append(NFTA_CHAIN_TABLE.rawValue, text: table.name)
            request.append(NFTA_CHAIN_NAME.rawValue, text: name)
            return request
        case .rules(let table, let chain): return ruleRemoval(table, chain)
        case .rule(let table, let chain, let handle):
            var request = ruleRemoval(table, chain)
            request.append(NFTA_RULE_HANDLE.rawValue, number: handle)
            return request
        }
    }

    private static func ruleRemoval(_ table: NetfilterTable, _ chain: String) -> NetlinkRequest {
        var request = request(NFT_MSG_DELRULE, table.family.rawValue, 0)
        request.append(NFTA_RULE_TABLE.rawValue, text: table.name)
        request.append(NFTA_RULE_CHAIN.rawValue, text: chain)
        return request
    }

    /// The chains that an immediate verdict leads to.
    private static func targets(_ expressions: ArraySlice<UInt8>) -> [String] {
        NetlinkMessage.list(Int(NFTA_LIST_ELEM.rawValue), in: expressions).compactMap { expression in
            let parts = NetlinkMessage.attributes(in: expression)
            guard parts[UInt16(NFTA_EXPR_NAME.rawValue)]?.text == "immediate",
                let data = parts[UInt16(NFTA_EXPR_DATA.rawValue)],
                let value = NetlinkMessage.attributes(in: data)[UInt16(NFTA_IMMEDIATE_DATA.rawValue)],
                let verdict = NetlinkMessage.attributes(in: value)[UInt16(NFTA_DATA_VERDICT.rawValue)]
            else { return nil }
            return NetlinkMessage.attributes(in: verdict)[UInt16(NFTA_VERDICT_CHAIN.rawValue)]?.text
        }
    }

    // MARK: The table that keeps translation going

    /// The hooks of NAT, with the priorities that belong to them.
    private enum TranslationHook: String, CaseIterable {
        case incoming, delivered, own, leaving

        /// `NF_INET_PRE_ROUTING` and so on: their header and glibc's cannot be in one module.
        var number: UInt32 {
            switch self {
            case .incoming: 0
            case .delivered: 1
            case .own: 3
            case .leaving: 4
            }
        }

        var priority: Int32 {
            switch self {
            case .incoming, .own: -100
            case .delivered, .leaving: 100
            }
        }
    }

    private static func tableRequest(_ table: NetfilterTable) -> NetlinkRequest {
        var request = request(NFT_MSG_NEWTABLE, table.family.rawValue, NLM_F_CREATE)
        request.append(NFTA_TABLE_NAME.rawValue, text: table.name)
        return request
    }

    private static func request(_ hook: TranslationHook, in table: NetfilterTable) -> NetlinkRequest {
        var place = NestedAttributes()
        place.append(NFTA_HOOK_HOOKNUM.rawValue, number: hook.number)
        place.append(NFTA_HOOK_PRIORITY.rawValue, number: hook.priority)
        var request = request(NFT_MSG_NEWCHAIN, table.family.rawValue, NLM_F_CREATE)
        request.append(NFTA_CHAIN_TABLE.rawValue, text: table.name)
        request.append(NFTA_CHAIN_NAME.rawValue, text: hook.rawValue)
        request.append(NFTA_CHAIN_HOOK.rawValue, nested: place)
        request.append(NFTA_CHAIN_TYPE.rawValue, text: "nat")
        return request
    }

    /// A rule that reads a connection's state and does nothing with it: it is what makes the kernel track connections.
    private static func watchRequest(_ table: NetfilterTable, _ chain: String) -> NetlinkRequest {
        var reading = NestedAttributes()
        reading.append(NFTA_CT_DREG.rawValue, number: UInt32(NFT_REG32_00.rawValue))
        reading.append(NFTA_CT_KEY.rawValue, number: UInt32(NFT_CT_STATE.rawValue))
        var expression = NestedAttributes()
        expression.append(NFTA_EXPR_NAME.rawValue, text: "ct")
        expression.append(NFTA_EXPR_DATA.rawValue, nested: reading)
        var expressions = NestedAttributes()
        expressions.append(NFTA_LIST_ELEM.rawValue, nested: expression)
        var request = request(NFT_MSG_NEWRULE, table.family.rawValue, NLM_F_CREATE | NLM_F_APPEND)
        request.append(NFTA_RULE_TABLE.rawValue, text: table.name)
        request.append(NFTA_RULE_CHAIN.rawValue, text: chain)
        request.append(NFTA_RULE_EXPRESSIONS.rawValue, nested: expressions)
        return request
    }
}

extension NetlinkMessage {
    /// The family of a netfilter message; nil for one that is none of ours.
    fileprivate var netfilterFamily: NetfilterFamily? {
        payload.load(nfgenmsg.self).flatMap { NetfilterFamily(rawValue: $0.nfgen_family) }
    }
}
