// The table of outcomes against the enumeration of the contract.

import CDatapathABI
import Datapath
import Testing

@Suite("Outcomes")
struct OutcomeTests {
    @Test("every outcome that the programs count has a case, in the same order and without a gap")
    func coversTheEnumeration() {
        #expect(Outcome.allCases.map(\.rawValue) == Array(0..<DP_OUTCOME_COUNT.rawValue))
    }

    struct Pair: Sendable, CustomTestStringConvertible {
        let outcome: Outcome
        let constant: UInt32
        var testDescription: String { outcome.name }
    }

    static let pairs: [Pair] = [
        Pair(outcome: .forwarded, constant: DP_OUTCOME_FORWARDED.rawValue),
        Pair(outcome: .noEndpoints, constant: DP_OUTCOME_NO_ENDPOINTS.rawValue),
        Pair(outcome: .noLocalEndpoints, constant: DP_OUTCOME_NO_LOCAL_ENDPOINTS.rawValue),
        Pair(outcome: .sourceRange, constant: DP_OUTCOME_SOURCE_RANGE.rawValue),
        Pair(outcome: .unknownPort, constant: DP_OUTCOME_UNKNOWN_PORT.rawValue),
        Pair(outcome: .bindProtected, constant: DP_OUTCOME_BIND_PROTECTED.rawValue),
        Pair(outcome: .connectionUnrecorded, constant: DP_OUTCOME_CONNECTION_UNRECORDED.rawValue),
        Pair(outcome: .udpPeerUnrecorded, constant: DP_OUTCOME_UDP_PEER_UNRECORDED.rawValue),
        Pair(outcome: .affinityUnrecorded, constant: DP_OUTCOME_AFFINITY_UNRECORDED.rawValue),
        Pair(outcome: .badRecord, constant: DP_OUTCOME_BAD_RECORD.rawValue),
        Pair(outcome: .eventsLost, constant: DP_OUTCOME_EVENTS_LOST.rawValue),
        Pair(outcome: .unownedAddress, constant: DP_OUTCOME_UNOWNED_ADDRESS.rawValue),
    ]

    @Test("a case stands for the constant of its name", arguments: pairs)
    func hasTheNumber(_ pair: Pair) {
        #expect(pair.outcome.rawValue == pair.constant)
    }

    @Test("the reason of what is refused or dropped says so", arguments: Outcome.allCases)
    func reasonSaysSo(_ outcome: Outcome) {
        let isRefusal = outcome.reason.hasPrefix("refused: ") || outcome.reason.hasPrefix("bind refused: ")
        #expect(isRefusal == (outcome.effect == .refused))
        #expect(outcome.reason.hasPrefix("dropped: ") == (outcome.effect == .dropped))
    }

    @Test("names and reasons are distinct, and a name leads back to its outcome")
    func namesAreDistinct() {
        #expect(Set(Outcome.allCases.map(\.name)).count == Outcome.allCases.count)
        #expect(Set(Outcome.allCases.map(\.reason)).count == Outcome.allCases.count)
        for outcome in Outcome.allCases { #expect(Outcome(name: outcome.name) == outcome) }
        #expect(Outcome(name: "nothing") == nil)
    }
}
