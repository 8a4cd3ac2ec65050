// One state of one object, with its encodings, each made once when it is first asked for.

import Synchronization

package struct ObjectKey: Hashable, Comparable, Sendable {
    /// Empty for what has no namespace.
    package var namespace: String
    package var name: String

    package init(namespace: String = "", name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// `/namespace/name` or `/name`: the order of this text is that of lists.
    package var path: String { namespace.isEmpty ? "/\(name)" : "/\(namespace)/\(name)" }

    package static func < (left: Self, right: Self) -> Bool { left.path < right.path }
}

package final class StoredObject: Sendable {
    package let resource: Resource
    package let key: ObjectKey
    package let revision: UInt64
    /// Without kind and apiVersion; of an Event, the form of events.k8s.io.
    package let json: JSON
    package let labels: [String: String]
    private let encodings = Mutex<[String: [UInt8]]>([:])

    package init(resource: Resource, json: JSON) {
        self.resource = resource
        self.json = json
        let metadata = json["metadata"]
        key = ObjectKey(namespace: metadata?["namespace"]?.string ?? "", name: metadata?["name"]?.string ?? "")
        revision = metadata?["resourceVersion"]?.string.flatMap(UInt64.init) ?? 0
        labels = metadata?["labels"]?.stringMap ?? [:]
    }

    /// The same state with another resourceVersion: what a watch shows of an object that leaves its selection.
    package func at(_ revision: UInt64) -> StoredObject {
        var changed = json
        changed["metadata"]?["resourceVersion"] = .string(String(revision))
        return StoredObject(resource: resource, json: changed)
    }

    /// The object in the form of the group that serves it.
    package func form(_ endpoint: Endpoint) -> JSON {
        resource == .events && endpoint.group.isEmpty ? EventForms.core(from: json) : json
    }

    /// As an item of a list: without kind and apiVersion.
    package func jsonItem(_ endpoint: Endpoint) -> [UInt8] {
        encoding("json \(endpoint.group)") { form(endpoint).bytes }
    }

    package func jsonObject(_ endpoint: Endpoint) -> [UInt8] {
        let item = jsonItem(endpoint)
        return Array("{\"kind\":\"\(endpoint.kind)\",\"apiVersion\":\"\(endpoint.apiVersion)\",".utf8)
            + item.dropFirst()
    }

    /// The message alone.
    package func protobufItem(_ endpoint: Endpoint) -> [UInt8] {
        encoding("protobuf \(endpoint.group)") { ProtobufWriter.encode(form(endpoint), as: endpoint.message) }
    }

    /// In its envelope.
    package func protobufObject(_ endpoint: Endpoint) -> [UInt8] {
        ProtobufEnvelope.object(
            apiVersion: endpoint.apiVersion, kind: endpoint.kind, protobufItem(endpoint))
    }

    private func encoding(_ name: String, _ make: () -> [UInt8]) -> [UInt8] {
        encodings.withLock { made in
            if let bytes = made[name] { return bytes }
            let bytes = make()
            made[name] = bytes
            return bytes
        }
    }
}
