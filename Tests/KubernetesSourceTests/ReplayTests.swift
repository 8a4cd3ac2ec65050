// The recorded watches of a real server, replayed onto nothing: both encodings end in the same facts, those that the
// changes' script leaves.

import Foundation
import KubernetesDecoding
import KubernetesSource
import ServiceModel
import Testing

@Suite("Recorded watches, replayed")
struct ReplayTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Recordings")

    /// The facts after the list and the watch that were recorded of a kind.
    private func replay(_ kind: FactKind, _ name: String, _ ending: String) throws -> [ObjectIdentity: FactChange] {
        let encoding: AnswerEncoding = ending == "pb" ? .protobuf : .json
        var reflector = Reflector(selection: Selection(kind: kind, nodeName: "node1"), seed: 1)
        var table = ObjectTable(selection: Selection(kind: kind, nodeName: "node1"))
        var facts: [ObjectIdentity: FactChange] = [:]
        func tell(_ changes: [FactChange]) {
            for change in changes { facts[change.identity] = change.isDeletion ? nil : change }
        }
        let now = ContinuousClock.now
        let watched = kind == .node ? "script-node1" : "script-\(name)"
        for path in ["streaming-lists/\(kind == .node ? "node-one" : name)", "watches/\(watched)"] {
            let file = Self.folder.appending(path: "\(path).\(ending).body")
            if case .send(let request) = reflector.next(now: now), request.beginsReplacement {
                table.beginReplacement()
            }
            var reader = WatchReader(kind: kind, encoding: encoding)
            for event in reader.read([UInt8](try Data(contentsOf: file))) {
                switch reflector.take(event, now: now) {
                case .put(let object): tell(table.put(object).map { [$0] } ?? [])
                case .remove(let object): tell(table.remove(object).map { [$0] } ?? [])
                case .finishReplacement: tell(table.finishReplacement())
                case .none: break
                case .noteUnreadable(let reason): Issue.record("\(reason)")
                case .stop: Issue.record("stopped by \(event)")
                }
            }
            reflector.end(now: now + .seconds(400))
        }
        return facts
    }

    @Test(
        "end in the same facts in JSON and in protobuf",
        arguments: [
            (FactKind.service, "services"), (.endpointSlice, "endpointslices"), (.node, "nodes"),
            (.serviceCIDR, "servicecidrs"),
        ])
    func sameFacts(_ kind: FactKind, _ name: String) throws {
        let json = try replay(kind, name, "json")
        #expect(try replay(kind, name, "pb") == json)
        #expect(!json.isEmpty)
    }

    @Test("a service that was deleted and made again is there with its last address")
    func scriptedService() throws {
        let facts = try replay(.service, "services", "pb")
        let name = ObjectName(namespace: "demo", name: "script")
        guard case .service(_, let service?)? = facts[ObjectIdentity(kind: .service, name: name)] else {
            Issue.record("the service is missing")
            return
        }
        #expect(service.clusterIPs.count == 1)
        let slices = try replay(.endpointSlice, "endpointslices", "pb").values.filter { change in
            guard case .endpointSlice(_, let slice?) = change else { return false }
            return slice.service == name
        }
        #expect(slices.count == 1, "the slice of the deleted service is gone, the new one there")
    }
}
