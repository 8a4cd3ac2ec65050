// Every list and every watch of the recordings says what somebody else found in it, in both encodings and however the
// network cuts it.

import KubernetesDecoding
import ServiceModel
import Testing

@Suite("Recordings of an API server")
struct RecordingTests {
    @Test(
        "lists have the version, the names and the token that they should", arguments: Expectations.recordings("lists"))
    func lists(_ recording: Recording) throws {
        let expected = try Expectations().list(recording.name)
        for size in [1 << 20, 4096, 7, 1] {
            let (objects, head) = try recording.list(expected.kind, inPiecesOf: size)
            let found = Expectations.List(
                kind: expected.kind, resourceVersion: head.resourceVersion, continueToken: head.continueToken,
                items: objects.map { [$0.name, $0.resourceVersion] }.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) })
            #expect(found == expected)
        }
    }

    @Test("watches have the events that they should, in order", arguments: Expectations.recordings("watches"))
    func watches(_ recording: Recording) throws {
        let expected = try Expectations().watch(recording.name)
        let kind = recording.kind
        for size in [1 << 20, 4096, 7, 1] {
            let found = try recording.watch(kind, inPiecesOf: size)
            try #require(found.count == expected.count)
            for (event, words) in zip(found, expected) {
                #expect(event.matches(words, kind), "\(event) is not \(words)")
            }
        }
    }

    @Test(
        "an object is the same in JSON and in protobuf, problems included", arguments: Expectations.recordings("lists"))
    func sameObjects(_ recording: Recording) throws {
        guard recording.encoding == .json, recording.counterpart.isThere else { return }
        let kind = try Expectations().list(recording.name).kind
        let json = try recording.list(kind)
        let protobuf = try recording.counterpart.list(kind)
        #expect(json.head == protobuf.head)
        for (one, other) in zip(json.objects, protobuf.objects) { #expect(one == other) }
    }

    @Test("the same events come in JSON and in protobuf", arguments: Expectations.recordings("watches"))
    func sameEvents(_ recording: Recording) throws {
        guard recording.encoding == .json, recording.counterpart.isThere else { return }
        let kind = recording.kind
        let json = try recording.watch(kind)
        let protobuf = try recording.counterpart.watch(kind)
        #expect(json.count == protobuf.count)
        for (one, other) in zip(json, protobuf) {
            // The two watches of a pair were cut off by bookmarks of their own.
            if case .bookmark = one { continue }
            #expect(one == other)
        }
    }

    @Test("the services of every kind say what their manifests say")
    func contents() throws {
        let facts = try Recording(name: "lists/services.pb").list(.service).objects.compactMap { $0.service }
        let services = Dictionary(uniqueKeysWithValues: facts.map { ($0.name.name, $0) })
        let mixed = try #require(services["lb-mixed"])
        #expect(mixed.kind == .loadBalancer)
        #expect(mixed.ports.allSatisfy { $0.nodePort != 0 })
        let local = try #require(services["lb-etp-local"])
        #expect(local.externalTrafficPolicy == .local)
        #expect(local.healthCheckNodePort != 0)
        #expect(try #require(services["external-name"]).kind == .externalName)
        #expect(try #require(services["affinity"]).sessionAffinitySeconds != nil)
        #expect(try #require(services["dual-6-4"]).clusterIPs.count == 2)
        #expect(facts.allSatisfy { $0.creationTime != nil && !$0.belongsToOtherProxy })
    }

    @Test(
        "errors keep their code, reason, message and token",
        arguments: [
            ("errors/401-bad-token", 401, "Unauthorized"), ("errors/403-list-services", 403, "Forbidden"),
            ("expired/410-continue", 410, "Expired"), ("streaming-lists/not-supported-422", 422, "Invalid"),
        ])
    func errors(_ name: String, _ code: Int, _ reason: String) throws {
        let recordings = [Recording(name: name + ".json"), Recording(name: name + ".pb")]
        let statuses = try recordings.map {
            APIStatus(body: try $0.body, contentType: $0.encoding.rawValue, code: code)
        }
        #expect(statuses[0].reason == reason)
        #expect(!statuses[0].message.isEmpty)
        #expect(statuses.map(\.reason) == [reason, reason])
    }

    @Test("the text of a 429 is its message")
    func tooMany() throws {
        let body = try Recording(name: "errors/429-list.json").body
        let status = APIStatus(body: body, contentType: "text/plain; charset=utf-8", code: 429)
        #expect(status.description == "429: Too many requests, please try again later.")
    }
}

extension Recording {
    /// What was watched, which most names say.
    fileprivate var kind: FactKind {
        if name.contains("endpointslices") { return .endpointSlice }
        if name.contains("node") { return .node }
        let ofServiceCIDRs = ["servicecidrs", "no-resource-version", "resource-version-0"]
        return ofServiceCIDRs.contains { name.contains($0) } ? .serviceCIDR : .service
    }
}

extension KubernetesObject {
    var service: Service? {
        guard case .fact(.service(let service)) = decoded.outcome else { return nil }
        return service
    }
}

extension WatchEvent {
    fileprivate func matches(_ words: [String], _ kind: FactKind) -> Bool {
        switch self {
        case .put(let object):
            ["ADDED", "MODIFIED"].contains(words[0])
                && [kind.rawValue, object.name, object.resourceVersion] == Array(words[1...])
        case .removed(let object): ["DELETED", kind.rawValue, object.name, object.resourceVersion] == words
        case .bookmark(let version, let endsInitialEvents):
            ["BOOKMARK", kind.rawValue, "", version] == Array(words[..<4])
                && endsInitialEvents == (words.count > 4 && words[4] == "k8s.io/initial-events-end=true")
        case .failed(let status): ["ERROR", "Status", status.message, "\(status.code)"] == words
        case .unexpected, .unreadable: false
        }
    }
}
