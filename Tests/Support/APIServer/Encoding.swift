// Which encoding an answer has, by the Accept header, and the frames of objects, lists and watch events in each.

import APIServerState

enum Encoding: Sendable {
    case json
    case protobuf

    /// As the API server chooses: the first acceptable type of the list. nil is 406.
    init?(accept: [String]) {
        let types = accept.joined(separator: ",").filter { $0 != " " }.split(separator: ",")
        if types.isEmpty {
            self = .json
            return
        }
        for type in types {
            let parts = type.split(separator: ";")
            // Tables and partial metadata are not made here; clients also offer the plain type, and get that.
            if parts.contains(where: { $0.hasPrefix("as=") || $0.hasPrefix("g=") }) { continue }
            switch parts.first {
            case "application/json", "application/*", "*/*":
                self = .json
                return
            case "application/vnd.kubernetes.protobuf":
                self = .protobuf
                return
            default: continue
            }
        }
        return nil
    }

    var contentType: String {
        switch self {
        case .json: "application/json"
        case .protobuf: "application/vnd.kubernetes.protobuf"
        }
    }

    var watchContentType: String {
        switch self {
        case .json: "application/json"
        case .protobuf: "application/vnd.kubernetes.protobuf;stream=watch"
        }
    }

    func object(_ object: StoredObject, _ endpoint: Endpoint) -> [UInt8] {
        switch self {
        case .json: object.jsonObject(endpoint) + [0x0a]
        case .protobuf: object.protobufObject(endpoint)
        }
    }

    func status(_ status: APIStatus) -> [UInt8] {
        switch self {
        case .json: Self.statusJSON(status) + [0x0a]
        case .protobuf: Self.statusProtobuf(status)
        }
    }

    func list(_ page: ObjectStore.Page, _ endpoint: Endpoint) -> [UInt8] {
        var metadata: JSON = ["resourceVersion": .string(String(page.revision))]
        if let next = page.next { metadata["continue"] = .string(next.text) }
        if let remaining = page.remaining { metadata["remainingItemCount"] = .integer(Int64(remaining)) }
        switch self {
        case .json:
            let start = "{\"kind\":\"\(endpoint.kind)List\",\"apiVersion\":\"\(endpoint.apiVersion)\",\"metadata\":"
            var bytes = Array(start.utf8)
            metadata.write(to: &bytes)
            bytes.append(contentsOf: ",\"items\":[".utf8)
            for (index, object) in page.objects.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes.append(contentsOf: object.jsonItem(endpoint))
            }
            bytes.append(contentsOf: "]}\n".utf8)
            return bytes
        case .protobuf:
            var list = ProtobufWriter()
            list.chunk(1, ProtobufWriter.encode(metadata, as: Messages.listMeta))
            for object in page.objects { list.chunk(2, object.protobufItem(endpoint)) }
            return ProtobufEnvelope.object(
                apiVersion: endpoint.apiVersion, kind: "\(endpoint.kind)List", list.bytes)
        }
    }

    func event(_ event: WatchEvent, _ endpoint: Endpoint) -> [UInt8] {
        switch event {
        case .added(let object): frame("ADDED", object, endpoint)
        case .modified(let object): frame("MODIFIED", object, endpoint)
        case .deleted(let object): frame("DELETED", object, endpoint)
        case .bookmark(let revision, let endsInitialEvents):
            frame("BOOKMARK", Self.bookmark(revision, endsInitialEvents, endpoint), endpoint)
        case .error(let status):
            switch self {
            case .json: Self.line("ERROR", Self.statusJSON(status))
            case .protobuf: ProtobufEnvelope.watchEvent(type: "ERROR", object: Self.statusProtobuf(status))
            }
        }
    }

    private func frame(_ type: String, _ object: StoredObject, _ endpoint: Endpoint) -> [UInt8] {
        switch self {
        case .json: Self.line(type, object.jsonObject(endpoint))
        case .protobuf: ProtobufEnvelope.watchEvent(type: type, object: object.protobufObject(endpoint))
        }
    }

    /// An empty object of the kind, with the resourceVersion.
    private static func bookmark(_ revision: UInt64, _ endsInitialEvents: Bool, _ endpoint: Endpoint) -> StoredObject {
        var metadata: JSON = ["resourceVersion": .string(String(revision))]
        if endsInitialEvents { metadata["annotations"] = ["k8s.io/initial-events-end": "true"] }
        let empty: JSON = ["metadata": metadata]
        let message = endpoint.resource == .events ? Messages.event : endpoint.message
        return StoredObject(resource: endpoint.resource, json: (try? Shape.shape(empty, as: message)) ?? empty)
    }

    private static func line(_ type: String, _ object: [UInt8]) -> [UInt8] {
        Array("{\"type\":\"\(type)\",\"object\":".utf8) + object + Array("}\n".utf8)
    }

    private static func statusJSON(_ status: APIStatus) -> [UInt8] {
        Array("{\"kind\":\"Status\",\"apiVersion\":\"v1\",".utf8) + status.json.bytes.dropFirst()
    }

    private static func statusProtobuf(_ status: APIStatus) -> [UInt8] {
        ProtobufEnvelope.object(
            apiVersion: "v1", kind: "Status", ProtobufWriter.encode(status.json, as: Messages.status))
    }
}
