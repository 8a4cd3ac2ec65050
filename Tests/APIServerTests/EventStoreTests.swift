// Events as a real server checks them: what has to be there, what is too long, and what may change.

import APIServerState
import Testing

@Suite("Events on the API server stand-in")
struct EventStoreTests {
    static let event: JSON = [
        "metadata": ["name": "web.1", "namespace": "default"], "eventTime": "2026-01-02T03:04:05.000006Z",
        "reportingController": "martlet", "reportingInstance": "martlet-worker-1", "action": "Listen",
        "reason": "FailedToStartServiceHealthcheck", "type": "Warning", "note": "the port is taken",
        "regarding": ["kind": "Service", "namespace": "default", "name": "web", "apiVersion": "v1"],
    ]

    struct Case: CustomTestStringConvertible {
        var field: String
        var value: JSON?
        /// Where the server sees the fault.
        var fault: String
        var testDescription: String { fault }
    }

    static let cases = [
        Case(field: "reportingController", value: nil, fault: "reportingController"),
        Case(field: "reportingInstance", value: nil, fault: "reportingInstance"),
        Case(field: "action", value: nil, fault: "action"), Case(field: "reason", value: nil, fault: "reason"),
        Case(field: "reason", value: .string(String(repeating: "x", count: 129)), fault: "reason"),
        Case(field: "note", value: .string(String(repeating: "ä", count: 513)), fault: "message"),
        Case(field: "type", value: "Alarm", fault: "type"),
        Case(
            field: "series", value: ["count": 1, "lastObservedTime": "2026-01-02T03:04:05.000006Z"],
            fault: "series.count"),
        Case(field: "series", value: ["count": 2], fault: "series.lastObservedTime"),
    ]

    private func store() async throws -> ObjectStore {
        let store = ObjectStore(ObjectStore.Settings())
        try await store.populate()
        return store
    }

    @Test("what is missing, too long or wrong is refused", arguments: cases)
    func refused(_ wrong: Case) async throws {
        let store = try await store()
        var event = Self.event
        event[wrong.field] = wrong.value
        let status = await #expect(throws: APIStatus.self) {
            try await store.create(.events, namespace: "default", event)
        }
        #expect(status?.code == 422 && status?.details?.causes.map(\.field) == [wrong.fault])
    }

    @Test("a series may grow, and nothing else may change")
    func changes() async throws {
        let store = try await store()
        try await store.create(.events, namespace: "default", Self.event)
        let key = ObjectKey(namespace: "default", name: "web.1")
        let series: JSON = ["count": 2, "lastObservedTime": "2026-01-02T03:04:06.000006Z"]
        try await store.patch(.events, key) { (event) throws(APIStatus) in
            var event = event
            event["series"] = series
            return event
        }
        #expect(await store.object(.events, key)?.json["series"] == series)
        let status = await #expect(throws: APIStatus.self) {
            try await store.patch(.events, key) { (event) throws(APIStatus) in
                var event = event
                event["note"] = "something else"
                return event
            }
        }
        #expect(status?.code == 422 && status?.details?.causes.map(\.field) == ["message"])
    }
}
