// Forgetting session affinity to backends that left a service (AFF-5), so that they start afresh if they return. The map is
// walked once per call; that happens only when a service with affinity loses a backend.

import BPF
import CDatapathABI
package import DatapathImage
package import Reconciler

extension Datapath {
    package func forgetAffinity(_ lost: [LostAffinity]) throws(StoreError) {
        guard !lost.isEmpty else { return }
        let gone = Dictionary(lost.map { ($0.serviceID, Set($0.backendIDs)) }, uniquingKeysWith: { $0.union($1) })
        func isLost(_ key: dp_affinity_key, _ record: dp_affinity) -> Bool {
            gone[key.service_id]?.contains(record.backend_id) == true
        }
        do {
            var keys: [dp_affinity_key] = []
            try maps.affinity.forEach { (key, record) throws(BPFError) in
                if isLost(key, record) { keys.append(key) }
            }
            // The walk takes milliseconds, in which clients choose anew: those must keep what they have now.
            for key in keys {
                guard let record = try maps.affinity.lookup(key), isLost(key, record) else { continue }
                _ = try maps.affinity.delete(key)
            }
        } catch {
            throw StoreError(.affinity, .delete, error)
        }
    }
}
