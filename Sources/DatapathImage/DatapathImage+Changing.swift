// Frontends whose DSR flows are being tracked, since their backends have changed (dp_frontend.previous). Without a record
// for each flow, the backends of before the first change are what says whose an older flow is, so they stay until
// nobody needs them: the Reconciler says when.

import CDatapathABI

extension DatapathImage {
    /// What each such frontend is at the moment. Cost: that of looking at every frontend.
    package var changing: [FrontendKey: FrontendRecord] {
        var changing: [FrontendKey: FrontendRecord] = [:]
        for (key, entry) in frontends.entries where entry.record.isChanging { changing[key] = entry.record }
        return changing
    }

    /// Ends the tracking: from now on every flow belongs to its slot's owner.
    package mutating func settle(_ keys: some Sequence<FrontendKey>) -> Transaction {
        for key in keys {
            guard let old = frontends[key], old.record.isChanging else { continue }
            var new = old
            new.record.fields.previous = dp_choice()
            new.previous = BackendSpace.Reference()
            // A frontend that is there takes no more room.
            guard (try? frontends.install(new, at: key, replacing: old)) != nil else { continue }
            retain(new)
            release(old)
        }
        return finish(TransactionDraft())
    }

    /// What a frontend's flows may belong to from before, when it becomes what the plan says.
    static func previous(
        of current: FrontendTable.Entry?, serviceID: UInt32, isDSR: Bool,
        external: (choice: dp_choice, reference: BackendSpace.Reference)
    ) -> (choice: dp_choice, reference: BackendSpace.Reference) {
        let nothing = (dp_choice(), BackendSpace.Reference())
        guard let current, current.record.serviceID == serviceID else { return nothing }
        // However many changes there are, it is the backends of before the first one.
        if current.record.isChanging { return (current.record.fields.previous, current.previous) }
        guard current.record.isDSR else {
            guard isDSR else { return nothing }
            // Every flow has a record from before: let it be looked for.
            var anywhere = dp_choice()
            anywhere.action = UInt8(DP_ACTION_FORWARD.rawValue)
            return (anywhere, BackendSpace.Reference())
        }
        let before = current.record.fields.external
        guard before.isForward, !isDSR || !(before == external.choice) else { return nothing }
        return (before, current.external)
    }
}

extension FrontendTable.Entry {
    /// Everything that the record refers to.
    var references: [BackendSpace.Reference] { [`internal`, external, previous] }
}
