// Ways to misbehave, for requests that match and as often as asked.

package import APIServerState
import Synchronization

package struct Fault: Sendable {
    package enum Effect: Sendable, Equatable {
        /// A Status with this code, or text for 429 as the API server does it.
        case answer(code: Int, retryAfterSeconds: Int? = nil)
        /// The connection is cut instead of an answer.
        case cut
        /// No byte in either direction from now on, until `APIServer.release()`.
        case stall
        case delay(Duration)
        /// Streaming lists are refused with 422, as by a server without the WatchList feature.
        case refuseStreamingList
        /// 410 for lists, an ERROR event for watches.
        case expire
        /// A list shows the state of this revision.
        case stale(revision: UInt64)
        /// A watch sends this many events whole and half of the next, and the connection is cut; a list is cut in half.
        case cutFrame(afterEvents: Int)
        /// Each event comes twice.
        case duplicateEvents
        /// Events come in pairs, the second before the first, when there are two to send at once.
        case reorderEvents
    }

    package var effect: Effect
    /// nil for every verb.
    package var verb: Verb?
    package var resource: Resource?
    /// How many requests it still meets; nil until it is cleared.
    package var remaining: Int?

    package init(_ effect: Effect, verb: Verb? = nil, resource: Resource? = nil, times remaining: Int? = nil) {
        self.effect = effect
        self.verb = verb
        self.resource = resource
        self.remaining = remaining
    }
}

final class FaultPlan: Sendable {
    private let faults = Mutex<[Fault]>([])

    func add(_ fault: Fault) {
        faults.withLock { $0.append(fault) }
    }

    func clear() {
        faults.withLock { $0 = [] }
    }

    /// The effects for a request, in the order in which the faults were added.
    func effects(_ verb: Verb, _ resource: Resource, isStreamingList: Bool) -> [Fault.Effect] {
        faults.withLock { faults in
            var effects: [Fault.Effect] = []
            for index in faults.indices {
                let fault = faults[index]
                guard fault.verb ?? verb == verb, fault.resource ?? resource == resource, fault.remaining != 0,
                    fault.effect != .refuseStreamingList || isStreamingList
                else { continue }
                effects.append(fault.effect)
                faults[index].remaining = fault.remaining.map { $0 - 1 }
            }
            faults.removeAll { $0.remaining == 0 }
            return effects
        }
    }
}
