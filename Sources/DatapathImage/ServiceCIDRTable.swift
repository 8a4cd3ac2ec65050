// The ServiceCIDRs: which there should be, which are written. An address inside that no service owns is dropped
// (SVC-12).

import NetworkTypes

struct ServiceCIDRTable: Sendable {
    private let limit: Int
    private var wanted: Set<PrefixKey> = []
    private(set) var programmed: Set<PrefixKey> = []
    /// Ordered.
    private(set) var failed: [CIDR] = []

    init(limit: Int) {
        self.limit = limit
    }

    mutating func restore(_ prefixes: Set<PrefixKey>) { programmed = prefixes }

    mutating func set(_ ranges: [CIDR]) { wanted = Set(ranges.map { PrefixKey($0) }) }

    /// Compares what is wanted with what is written. Removals wait while `keepsOthers`: their owner may not have spoken
    /// yet.
    mutating func finish(into transaction: inout Transaction, keepsOthers: Bool) {
        transaction.removedServiceCIDRs = keepsOthers ? [] : programmed.subtracting(wanted).sorted(by: <)
        failed = []
        // Counted before the removals, which come later.
        var room = limit - programmed.count
        for prefix in wanted.subtracting(programmed).sorted(by: <) {
            guard room > 0 else {
                if let range = prefix.range { failed.append(range) }
                continue
            }
            room -= 1
            programmed.insert(prefix)
            transaction.serviceCIDRs.append(prefix)
        }
        programmed.subtract(transaction.removedServiceCIDRs)
    }
}
