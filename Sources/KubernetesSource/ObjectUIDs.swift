// The uids of the objects that are known, for whoever has to name one of them to the API server. Facts do not hold them:
// what is forwarded does not depend on them.

import Foundation
import KubernetesDecoding
import ServiceModel
import Synchronization

final class ObjectUIDs: Sendable {
    /// As 16 bytes: there may be tens of thousands.
    private let known = Mutex<[ObjectIdentity: UUID]>([:])

    /// Nil when it is not known.
    func uid(of identity: ObjectIdentity) -> String? {
        known.withLock { $0[identity] }?.uuidString.lowercased()
    }

    /// The object is like this now.
    func note(_ object: KubernetesObject) {
        guard let identity = object.decoded.identity else { return }
        let uid = object.uid.flatMap(UUID.init(uuidString:))
        known.withLock { $0[identity] = uid }
    }

    func forget(_ identity: ObjectIdentity) {
        known.withLock { $0[identity] = nil }
    }
}
