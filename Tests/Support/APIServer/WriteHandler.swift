// Requests about one object: get, create, replace, patch and delete.

import APIServerState
import NIOHTTP1

struct WriteHandler: Sendable {
    let store: ObjectStore
    let exchange: Exchange
    let path: ResourcePath
    let encoding: Encoding

    private var options: ObjectStore.WriteOptions {
        .init(isDryRun: exchange.request.query["dryRun"] == "All", isStatus: path.isStatus)
    }

    func run(_ verb: Verb) async throws {
        let endpoint = path.endpoint
        switch verb {
        case .get:
            guard let object = await store.object(endpoint.resource, path.key) else {
                throw APIStatus.notFound(endpoint, path.key.name)
            }
            try await answer(.ok, object)
        case .create:
            let body = try self.body()
            let object = try await store.create(endpoint, namespace: path.namespace ?? "", body, options: options)
            try await answer(.created, object)
        case .update:
            try await answer(.ok, try await store.replace(endpoint, path.key, try body(), options: options))
        case .patch:
            let change = try patch()
            try await answer(.ok, try await store.patch(endpoint, path.key, options: options, change))
        case .delete: try await delete()
        case .list, .watch: throw APIStatus.methodNotAllowed
        }
    }

    private func answer(_ status: HTTPResponseStatus, _ object: StoredObject) async throws {
        var headers: [(String, String)] = []
        let isWrite = exchange.request.method != .GET
        if isWrite, object.json.at("spec", "externalIPs")?.array?.isEmpty == false {
            headers.append(
                (
                    "Warning",
                    "299 - \"spec.externalIPs is deprecated and may no longer be implemented in some clusters\""
                ))
        }
        try await exchange.answer(
            status, encoding.contentType, encoding.object(object, path.endpoint), headers: headers)
    }

    private func body() throws(APIStatus) -> JSON {
        let request = exchange.request
        let type = Self.mediaType(request)
        let endpoint = path.endpoint
        let json: JSON
        var kind: String?
        var apiVersion: String?
        switch type {
        case "application/json", "":
            json = try Self.parse(request.body, endpoint)
            kind = json["kind"]?.string
            apiVersion = json["apiVersion"]?.string
        case "application/vnd.kubernetes.protobuf":
            do {
                let opened = try ProtobufReader.open(request.body)
                (apiVersion, kind) = (opened.apiVersion, opened.kind)
                json = try ProtobufReader.decode(opened.content, as: endpoint.message)
            } catch {
                throw .badRequest("\(error)")
            }
        default: throw Self.unsupported("application/json, application/yaml, application/vnd.kubernetes.protobuf")
        }
        if kind ?? endpoint.kind != endpoint.kind || apiVersion ?? endpoint.apiVersion != endpoint.apiVersion {
            throw .badRequest(
                "\(endpoint.kind) in version \"\(endpoint.apiVersion)\" is expected, and not \(kind ?? "") in version "
                    + "\"\(apiVersion ?? "")\"")
        }
        return json
    }

    private static func mediaType(_ request: APIRequest) -> String {
        String((request.headers.first(name: "content-type") ?? "").prefix { $0 != ";" })
    }

    private static func parse(_ body: [UInt8], _ endpoint: Endpoint) throws(APIStatus) -> JSON {
        do {
            return try JSONParser.parse(body)
        } catch {
            let text = String(decoding: body.prefix(100), as: UTF8.self)
            throw .badRequest(
                """
                the object provided is unrecognized (must be of type \(endpoint.kind)): couldn't get version/kind; json \
                parse error: \(error.problem) (\(text))
                """)
        }
    }

    private static func unsupported(_ types: String) -> APIStatus {
        APIStatus(
            code: 415, reason: "UnsupportedMediaType",
            message: "the body of the request was in an unknown format - accepted media types include: \(types)")
    }

    private func patch() throws(APIStatus) -> @Sendable (JSON) throws(APIStatus) -> JSON {
        let type = Self.mediaType(exchange.request)
        let message = path.endpoint.message
        let patch = try Self.parse(exchange.request.body, path.endpoint)
        switch type {
        case "application/merge-patch+json":
            return { (object) throws(APIStatus) in MergePatch.merge(patch, into: object) }
        case "application/strategic-merge-patch+json":
            return { (object) throws(APIStatus) in MergePatch.strategic(patch, into: object, as: message) }
        default:
            // JSON patches (RFC 6902) and server-side apply are not made here; a real server has them.
            throw Self.unsupported("application/merge-patch+json, application/strategic-merge-patch+json")
        }
    }

    private func delete() async throws {
        let request = exchange.request
        let body = request.body.isEmpty ? JSON.null : try Self.parse(request.body, path.endpoint)
        let gone = try await store.delete(
            path.endpoint, path.key, uid: body.at("preconditions", "uid")?.string, options: options)
        if path.endpoint.resource == .services { return try await answer(.ok, gone) }
        var status = APIStatus(code: 200, reason: "", message: "")
        status.details = .init(
            name: path.key.name, group: path.endpoint.group, kind: path.endpoint.resource.rawValue,
            uid: gone.json.at("metadata", "uid")?.string ?? "")
        try await exchange.answer(.ok, encoding.contentType, encoding.status(status))
    }
}
