// The contract suite over the stores in memory. The kernel store runs the same one.

import DatapathImage
import DatapathTestSupport
import NetworkTypes
import Reconciler
import Testing

@Suite struct StoreContractTests {
    @Test("the store in memory keeps the contract")
    func fake() {
        let store = FakeDatapathStore()
        #expect(StoreContract.violations(of: store) == [])
        #expect(store.violations.allSatisfy { $0.hasPrefix("frontend") })
    }

    @Test("the faulty store keeps it as well while it has no faults")
    func faulty() {
        #expect(StoreContract.violations(of: FaultyDatapathStore(FakeDatapathStore(), seed: 1)) == [])
    }

    @Test("the contract suite notices a store that loses writes")
    func broken() {
        let store = FaultyDatapathStore(FakeDatapathStore(), seed: 1)
        store.setProbability(0.5)
        #expect(StoreContract.violations(of: store) != [])
    }

    @Test("an error reads as a sentence that names map, operation, extent and cause")
    func error() {
        let whole = StoreError(map: .nodePorts, operation: .delete, errno: 0, reason: "the map is not pinned")
        #expect(whole.description == "map node_ports: delete failed: the map is not pinned")
        let part = StoreError(
            map: .frontends, operation: .write, errno: 7, failed: .entries([3]), reason: "Argument list too long")
        #expect(
            part.description == "map frontends: write of 1 entry failed: Argument list too long (errno 7)")
    }
}
