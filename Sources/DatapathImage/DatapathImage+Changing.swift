// Frontends whose DSR flows are being tracked, since their backends have changed (dp_frontend.previous). Without a record
// for each flow, the backends of before the first change are what says whose an older flow is, so they stay until
// nobody needs them: the Reconciler says when.

import CDatapathABI

extension DatapathImage {
    /// What each such frontend is at the moment. Cost: that of looking at them, and at no others.
    package var changing: [FrontendKey: FrontendRecord] {
        var changing: [FrontendKey: FrontendRecord] = [:]
        for key in frontends.changing { changing[key] = frontends[key]?.record }
        return changing
    }

    /// Ends the tracking: from now on every flow belongs to its slot's owner.
    package mutating func settle(_ keys: some Sequence<FrontendKey>) -> Transaction {
        for key in keys {
            guard let old = frontends[key], old.record.isChanging else { continue }
            guard !key.isLeft else {
                remove(key)
                continue
            }
            var new = old
            new.record.setPrevious(dp_choice())
            new.previous = BackendSpace.Reference()
            // A frontend that is there takes no more room.
            guard (try? frontends.install(new, at: key, replacing: old)) != nil else { continue }
            retain(new)
            release(old)
        }
        return finish(TransactionDraft())
    }

    /// Takes a frontend out of force. The TCP connections of a DSR frontend go on to whom they belong to (SVC-10, BAL-3)
    /// by what is left of it, while there is room for that.
    mutating func leave(_ key: FrontendKey) {
        guard let old = frontends[key] else { return }
        if let left = key.left, old.record.isDSR || old.record.isChanging { keep(left, of: old) }
        remove(key)
    }

    private mutating func keep(_ left: FrontendKey, of old: FrontendTable.Entry) {
        guard
            let previous = try? previous(
                of: old, serviceID: old.record.serviceID, isDSR: false,
                external: (dp_choice(), BackendSpace.Reference()))
        else { return }
        defer { space.release(previous.borrowed) }
        guard previous.choice.set_count > 0 else { return }
        let entry = FrontendTable.Entry(
            record: old.record.left(previous: previous.choice), owner: 0, previous: previous.reference)
        let current = frontends[left]
        guard (try? frontends.install(entry, at: left, replacing: current)) != nil else { return }
        retain(entry)
        if let current { release(current) }
    }

    /// What a frontend's flows may belong to from before, when it becomes what the plan says. `borrowed` is to be released
    /// when the frontend has a reference of its own.
    struct Previous {
        var choice = dp_choice()
        var reference = BackendSpace.Reference()
        var borrowed = BackendSpace.Reference()
    }

    mutating func previous(
        of current: FrontendTable.Entry?, serviceID: UInt32, isDSR: Bool,
        external: (choice: dp_choice, reference: BackendSpace.Reference)
    ) throws(FrontendFailure.Reason) -> Previous {
        guard let current, current.record.serviceID == serviceID else { return Previous() }
        guard current.record.isDSR else {
            if current.record.isChanging {
                return Previous(choice: current.record.fields.previous, reference: current.previous)
            }
            // Every flow of a service that becomes DSR has a record from before: let it be looked for.
            return isDSR ? Self.anywhere : Previous()
        }
        let before = current.record.fields.external
        guard !(before == external.choice) || !isDSR else {
            return Previous(choice: current.record.fields.previous, reference: current.previous)
        }
        guard current.record.isChanging || before.isForward else { return Previous() }
        let base = current.record.isChanging ? current.previous : current.external
        guard base.set != BackendSetTable.none, let marks = marks(current, base, external, isDSR: isDSR) else {
            return Self.anywhere
        }
        let reference = try space.acquire(base.set, marked: marks.entries, width: marks.width)
        return Previous(choice: space.choice(reference), reference: reference, borrowed: reference)
    }

    private static var anywhere: Previous {
        var anywhere = Previous()
        anywhere.choice.action = UInt8(DP_ACTION_FORWARD.rawValue)
        return anywhere
    }

    /// The positions of the backends of before the first change, slot by slot, with a mark on each slot that has moved
    /// since: also on one that has come back meanwhile, since flows of the time between have records. Tables of different
    /// sizes have no slots in common. Nil when the earlier backends cannot be told, after damage.
    private func marks(
        _ current: FrontendTable.Entry, _ base: BackendSpace.Reference,
        _ external: (choice: dp_choice, reference: BackendSpace.Reference), isDSR: Bool
    ) -> (entries: [UInt32], width: UInt8)? {
        let count = space.sets.ids(of: base.set).count
        let width = SlotPacking.width(forMarkedSetOf: count)
        let mark = SlotPacking.mark(width: width)
        guard var entries = entries(of: current, base, width: width) else { return nil }
        let before = current.record.fields.external.isForward ? space.owners(of: current.external) : nil
        let after = external.choice.isForward && isDSR ? space.owners(of: external.reference) : nil
        guard let before, let after, before.count == entries.count, after.count == entries.count else {
            return (entries.map { $0 | mark }, width)
        }
        for slot in entries.indices where before[slot] != after[slot] { entries[slot] |= mark }
        return (entries, width)
    }

    private func entries(
        of current: FrontendTable.Entry, _ base: BackendSpace.Reference, width: UInt8
    ) -> [UInt32]? {
        if current.record.isChanging {
            return space.tables.markedWords(of: base.table).map {
                SlotPacking.positions(
                    ofTable: $0[...], slots: Int(current.record.fields.previous.table_slots), width: width)
            }
        }
        guard base.table != ChoiceTableStore.none else {
            return space.sets.ids(of: base.set).indices.map { UInt32($0) }
        }
        return space.tables.positions(of: base.table)
    }
}

extension FrontendTable.Entry {
    /// Everything that the record refers to.
    var references: [BackendSpace.Reference] { [`internal`, external, previous] }
}
