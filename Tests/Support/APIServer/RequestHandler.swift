// From a request to its answer: who asks, what it is about, which faults it meets, and who answers.

import APIServerState
import NIOCore
import NIOHTTP1

/// Thrown when the connection was cut on purpose, or given up: there is nothing more to answer.
struct ConnectionGone: Error {}

struct RequestHandler: Sendable {
    let settings: ServerSettings
    let store: ObjectStore
    let faults: FaultPlan
    let connections: OpenConnections
    let journal: RequestJournal

    func handle(_ exchange: Exchange) async throws {
        let request = exchange.request
        if request.body.count > settings.bodyLimit {
            let status = APIStatus(code: 413, reason: "RequestEntityTooLarge", message: "Request entity too large")
            return try await exchange.answer(status)
        }
        do {
            try await dispatch(exchange)
        } catch let status as APIStatus {
            let encoding = Encoding(accept: request.headers["accept"]) ?? .json
            try await exchange.answer(
                status, encoding, headers: status.code == 403 ? [("X-Content-Type-Options", "nosniff")] : [])
        }
    }

    private func dispatch(_ exchange: Exchange) async throws {
        let request = exchange.request
        journal.note(request)
        let user = try authenticate(request)
        if let answer = Discovery.answer(request.path) {
            return try await exchange.answer(
                .ok, answer.contentType, answer.body,
                headers: answer.contentType.hasPrefix("text/") ? [("X-Content-Type-Options", "nosniff")] : [])
        }
        guard let path = ResourcePath(request.path) else { throw APIStatus.unknownPath }
        guard let verb = path.verb(request) else { throw APIStatus.methodNotAllowed }
        if let user { journal.note(user, verb, path.endpoint) }
        if let user, !user.may(verb, path.endpoint) { throw Self.forbidden(user, verb, path) }
        let effects = faults.effects(
            verb, path.endpoint.resource, isStreamingList: request.query["sendInitialEvents"] == "true")
        guard try await proceed(exchange, effects) else { return }
        guard let encoding = Encoding(accept: request.headers["accept"]) else { return try await refuse(exchange) }
        switch verb {
        case .list:
            try await ListHandler(handler: self, exchange: exchange, path: path, encoding: encoding).run(effects)
        case .watch:
            try await WatchHandler(handler: self, exchange: exchange, path: path, encoding: encoding).run(effects)
        case .get, .create, .update, .patch, .delete:
            try await WriteHandler(store: store, exchange: exchange, path: path, encoding: encoding).run(verb)
        }
    }

    /// nil when the server asks nobody who they are.
    private func authenticate(_ request: APIRequest) throws(APIStatus) -> User? {
        if settings.users.isEmpty { return nil }
        let header = request.headers.first(name: "authorization") ?? ""
        guard header.hasPrefix("Bearer "), let user = settings.users[String(header.dropFirst(7))] else {
            throw .unauthorized
        }
        return user
    }

    private static func forbidden(_ user: User, _ verb: Verb, _ path: ResourcePath) -> APIStatus {
        let endpoint = path.endpoint
        let object = path.name.map { "\(endpoint.qualifiedName) \"\($0)\"" } ?? endpoint.qualifiedName
        let place = path.namespace.map { "in the namespace \"\($0)\"" } ?? "at the cluster scope"
        return APIStatus(
            code: 403, reason: "Forbidden",
            message: """
                \(object) is forbidden: User "\(user.name)" cannot \(verb) resource "\(endpoint.resource.rawValue)" in \
                API group "\(endpoint.group)" \(place)
                """,
            details: .init(name: path.name ?? "", group: endpoint.group, kind: endpoint.resource.rawValue))
    }

    private func refuse(_ exchange: Exchange) async throws {
        let message =
            "406: Not Acceptable\\n\\nAvailable representations: application/json, application/yaml, "
            + "application/vnd.kubernetes.protobuf, application/json;stream=watch, "
            + "application/vnd.kubernetes.protobuf;stream=watch"
        let body = """
            {
              "kind": "Status",
              "apiVersion": "v1",
              "metadata": {},
              "status": "Failure",
              "message": "\(message)",
              "reason": "NotAcceptable",
              "details": {},
              "code": 406
            }
            """
        try await exchange.answer(.notAcceptable, "application/json", Array(body.utf8))
    }

    /// Faults that come before the answer proper. False when the request has been answered.
    private func proceed(_ exchange: Exchange, _ effects: [Fault.Effect]) async throws -> Bool {
        for effect in effects {
            switch effect {
            case .delay(let duration): try await Task.sleep(for: duration)
            case .cut:
                exchange.connection.cut()
                throw ConnectionGone()
            case .stall: exchange.connection.stall()
            case .answer(let code, let seconds):
                try await answer(exchange, code, seconds)
                return false
            case .refuseStreamingList:
                throw APIStatus.invalidOptions(
                    "sendInitialEvents",
                    "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled")
            case .expire, .stale, .cutFrame, .duplicateEvents, .reorderEvents: break
            }
        }
        return true
    }

    private func answer(_ exchange: Exchange, _ code: Int, _ retryAfterSeconds: Int?) async throws {
        let headers = retryAfterSeconds.map { [("Retry-After", String($0))] } ?? []
        let status = HTTPResponseStatus(statusCode: code)
        if code == 429 {
            let text = "Too many requests, please try again later.\n"
            return try await exchange.answer(
                status, "text/plain; charset=utf-8", Array(text.utf8),
                headers: headers + [("X-Content-Type-Options", "nosniff")])
        }
        let reason = status.reasonPhrase.split(separator: " ").joined()
        try await exchange.answer(
            APIStatus(code: Int64(code), reason: reason, message: "\(status.reasonPhrase) on demand"),
            Encoding(accept: exchange.request.headers["accept"]) ?? .json, headers: headers)
    }
}
