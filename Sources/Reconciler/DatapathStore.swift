// The kernel as the Reconciler sees it. The kernel store implements it over the pinned maps, the tests over memory;
// both pass the same contract suite.

package import DatapathImage

/// Contract of every method that writes:
/// - It is idempotent: writing what is there already, or deleting what is not there, succeeds.
/// - It is over when it returns: a program that runs afterwards sees the new state.
/// - An error says which entries failed (`StoreError.failed`); all the others are written. One bad entry never costs
///   the rest.
/// - An empty argument succeeds without a system call.
///
/// The methods may block in system calls; the Reconciler's executor is chosen accordingly. Reverse state of sockets
/// (`connections`, `udp_pages`) is the datapath's own and appears here only in `destroyStaleSockets`.
package protocol DatapathStore: Sendable {
    /// Everything that the image's maps hold.
    func contents() throws(StoreError) -> MapContents

    /// Writes words into the arena, in order. After an error the whole call counts as failed, whatever its extent.
    func writeSlots(_ writes: SlotWrites) throws(StoreError)
    /// Writes elements of `backends`, `BackendRecord.free` included.
    func writeBackends(_ writes: [Transaction.BackendWrite]) throws(StoreError)
    func writeServices(_ writes: [Transaction.ServiceWrite]) throws(StoreError)
    /// Writes entries in this order. Those of frontends that are in force count at once.
    func updateSourceRanges(_ writes: [Transaction.SourceRangeWrite]) throws(StoreError)
    /// Deletes in this order.
    func deleteSourceRanges(_ keys: [SourceRangeKey]) throws(StoreError)
    /// Deletes the names, and what is counted under the ids: they will be given to others.
    func deleteServices(_ ids: [UInt32]) throws(StoreError)

    /// The visible write. Each entry changes at once as a whole; entries of one call need not change together.
    func updateFrontends(_ updates: [Transaction.FrontendUpdate]) throws(StoreError)
    func deleteFrontends(_ keys: [FrontendKey]) throws(StoreError)
    func updateNodePorts(_ keys: [NodePortKey]) throws(StoreError)
    func deleteNodePorts(_ keys: [NodePortKey]) throws(StoreError)
    func updateServiceCIDRs(_ prefixes: [PrefixKey]) throws(StoreError)
    func deleteServiceCIDRs(_ prefixes: [PrefixKey]) throws(StoreError)

    /// Those of these frontends, whose DSR flows are being tracked, that have a flow which would go to another backend if
    /// it were not. Cost: that of reading every flow.
    func frontendsWithMovedFlows(_ changing: [FrontendKey: FrontendRecord]) throws(StoreError) -> Set<FrontendKey>

    /// Deletes the affinity records of these services that name these backends. Called after the flip.
    func forgetAffinity(_ lost: [LostAffinity]) throws(StoreError)
    /// Destroys, in every network namespace, the sockets of these services that are bound to an address which no longer
    /// serves. Called after the flip, so that their owners reconnect to something better. Sockets that were just
    /// connecting then may escape: for them it is called once more when the grace period is over.
    func destroyStaleSockets(_ stale: [StaleSockets]) throws(StoreError)
}
