// The rights that deploy/kubernetes gives, against what an agent asks an API server for.

import Foundation
import ManifestSource
import ServiceModel
import Testing
import World

@Suite("The rights of the manifests", .serialized)
struct AccessRulesTests {
    @Test("are what the agent asks for, and no more")
    func exact() async throws {
        try await withScene { scene in
            let api = try APIScene(scene)
            try api.start().stop()
            // What a streaming list needs no right to list for, pages do.
            try api.control("fault?effect=refuse-streaming-list")
            try api.start().stop()
            let asked = Set(try api.control("uses?user=system:kube-proxy").split(separator: "\n").map(String.init))
            let given = try Self.rights()
            #expect(asked.subtracting(given) == [], "not allowed")
            // Events are written when there is something to tell.
            #expect(given.subtracting(asked).filter { !$0.hasSuffix("/events") } == [], "not needed")
        }
    }

    /// Verb, group and resource of each rule, as the stand-in writes them.
    private static func rights() throws -> Set<String> {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("deploy/kubernetes/access.yaml")
        let roles = try YAMLText.parse(Array(try Data(contentsOf: file))).map(\.value)
            .filter { $0["kind"] == .string("ClusterRole") }
        var rights: Set<String> = []
        for rule in roles.flatMap({ list($0["rules"]) }) {
            for verb in list(rule["verbs"]) {
                for group in list(rule["apiGroups"]) {
                    for resource in list(rule["resources"]) {
                        rights.insert("\(try text(verb)) \(try text(group))/\(try text(resource))")
                    }
                }
            }
        }
        return rights
    }

    private static func list(_ value: FieldValue?) -> [FieldValue] {
        guard case .array(let elements) = value else { return [] }
        return elements
    }

    private static func text(_ value: FieldValue) throws -> String {
        guard case .string(let text) = value else { throw AgentTrouble(description: "\(value) is no text") }
        return text
    }
}
