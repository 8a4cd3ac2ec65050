// Space that a transaction could not write: frontends that refer to it must not be flipped.

import DatapathImage

struct UnwrittenSpace {
    private let words: WordRanges
    private let backendIDs: Set<UInt32>
    /// Service ids some of whose source ranges are missing.
    private let unlistedServices: Set<UInt32>

    init(
        slots: SlotWrites, backends: [Transaction.BackendWrite], sourceRanges: [Transaction.SourceRangeWrite] = []
    ) {
        words = WordRanges(slots)
        backendIDs = Set(backends.map(\.id))
        unlistedServices = Set(sourceRanges.map(\.key.serviceID))
    }

    /// Whether the frontend, which is as the image wants it, would refer to any of it.
    func blocks(_ update: Transaction.FrontendUpdate, in image: DatapathImage) -> Bool {
        if !words.isEmpty, update.record.slotRanges.contains(where: words.overlap) { return true }
        if update.record.hasSourceRanges, unlistedServices.contains(update.record.serviceID) { return true }
        return !backendIDs.isEmpty && image.frontend(update.key, mayChooseAnyOf: backendIDs)
    }
}
