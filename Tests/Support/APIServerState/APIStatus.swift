// Kubernetes' Status: how the API server says what went wrong, or that a deletion went well. Its texts are those of the
// recorded server, since clients and people read them.

package struct APIStatus: Error, Sendable {
    package struct Cause: Sendable {
        package var reason: String
        package var message: String
        package var field: String

        package init(reason: String, message: String, field: String) {
            self.reason = reason
            self.message = message
            self.field = field
        }
    }

    package struct Details: Sendable {
        package var name = ""
        package var group = ""
        package var kind = ""
        package var uid = ""
        package var causes: [Cause] = []
        package var retryAfterSeconds: Int64 = 0

        package init(
            name: String = "", group: String = "", kind: String = "", uid: String = "", causes: [Cause] = [],
            retryAfterSeconds: Int64 = 0
        ) {
            self.name = name
            self.group = group
            self.kind = kind
            self.uid = uid
            self.causes = causes
            self.retryAfterSeconds = retryAfterSeconds
        }
    }

    package var code: Int64
    package var reason: String
    package var message: String
    package var details: Details?
    /// Another token with which an expired list can go on.
    package var continueToken = ""

    package init(code: Int64, reason: String, message: String, details: Details? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
    }

    /// In the shape of `Messages.status`, without kind and apiVersion.
    package var json: JSON {
        var json: JSON = [
            "metadata": continueToken.isEmpty ? [:] : ["continue": .string(continueToken)],
            "status": code < 400 ? "Success" : "Failure", "message": .string(message), "reason": .string(reason),
            "code": code < 400 ? 0 : .integer(code),
        ]
        if let details {
            json["details"] = [
                "name": .string(details.name), "group": .string(details.group), "kind": .string(details.kind),
                "uid": .string(details.uid), "retryAfterSeconds": .integer(details.retryAfterSeconds),
                "causes": .array(
                    details.causes.map {
                        ["reason": .string($0.reason), "message": .string($0.message), "field": .string($0.field)]
                    }),
            ]
        }
        return (try? Shape.shape(json, as: Messages.status)) ?? json
    }
}

extension APIStatus {
    package static func badRequest(_ message: String) -> APIStatus {
        APIStatus(code: 400, reason: "BadRequest", message: message)
    }

    package static let unauthorized = APIStatus(code: 401, reason: "Unauthorized", message: "Unauthorized")

    package static let unknownPath = APIStatus(
        code: 404, reason: "NotFound", message: "the server could not find the requested resource", details: Details())

    package static let methodNotAllowed = APIStatus(
        code: 405, reason: "MethodNotAllowed",
        message: "the server does not allow this method on the requested resource", details: Details())

    package static func notFound(_ endpoint: Endpoint, _ name: String) -> APIStatus {
        named(404, "NotFound", endpoint, name, "\(endpoint.qualifiedName) \"\(name)\" not found")
    }

    package static func alreadyExists(_ endpoint: Endpoint, _ name: String) -> APIStatus {
        named(409, "AlreadyExists", endpoint, name, "\(endpoint.qualifiedName) \"\(name)\" already exists")
    }

    package static func conflict(
        _ endpoint: Endpoint, _ name: String,
        _ problem: String =
            "the object has been modified; please apply your changes to the latest version and try again"
    ) -> APIStatus {
        named(
            409, "Conflict", endpoint, name,
            "Operation cannot be fulfilled on \(endpoint.qualifiedName) \"\(name)\": \(problem)")
    }

    package static func invalid(_ endpoint: Endpoint, _ name: String, _ causes: [Cause]) -> APIStatus {
        invalid(group: endpoint.group, kind: endpoint.kind, name: name, causes)
    }

    /// A list or watch whose options do not go together.
    package static func invalidOptions(_ field: String, _ problem: String) -> APIStatus {
        invalid(
            group: "meta.k8s.io", kind: "ListOptions", name: "",
            [Cause(reason: "FieldValueForbidden", message: "Forbidden: \(problem)", field: field)])
    }

    private static func invalid(group: String, kind: String, name: String, _ causes: [Cause]) -> APIStatus {
        let problems = causes.map { "\($0.field): \($0.message)" }
        let list = problems.count == 1 ? problems[0] : "[\(problems.joined(separator: ", "))]"
        let title = group.isEmpty ? kind : "\(kind).\(group)"
        return APIStatus(
            code: 422, reason: "Invalid", message: "\(title) \"\(name)\" is invalid: \(list)",
            details: Details(name: name, group: group, kind: kind, causes: causes))
    }

    package static func tooOld(_ requested: UInt64, oldest: UInt64) -> APIStatus {
        APIStatus(code: 410, reason: "Expired", message: "too old resource version: \(requested) (\(oldest))")
    }

    package static let listTooOld = APIStatus(
        code: 410, reason: "Expired", message: "The resourceVersion for the provided list is too old.")

    package static func continueTooOld(_ token: String) -> APIStatus {
        var status = APIStatus(
            code: 410, reason: "Expired",
            message: """
                The provided continue parameter is too old to display a consistent list result. You can start a new list \
                without the continue parameter, or use the continue token in this response to retrieve the remainder of \
                the results. Continuing with the provided token results in an inconsistent list - objects that were \
                created, modified, or deleted between the time the first chunk was returned and now may show up in the \
                list.
                """)
        status.continueToken = token
        return status
    }

    package static func tooLarge(_ requested: UInt64, current: UInt64) -> APIStatus {
        let cause = Cause(reason: "ResourceVersionTooLarge", message: "Too large resource version", field: "")
        return APIStatus(
            code: 504, reason: "Timeout",
            message: "Timeout: Too large resource version: \(requested), current: \(current)",
            details: Details(causes: [cause], retryAfterSeconds: 1))
    }

    private static func named(
        _ code: Int64, _ reason: String, _ endpoint: Endpoint, _ name: String, _ message: String
    ) -> APIStatus {
        APIStatus(
            code: code, reason: reason, message: message,
            details: Details(name: name, group: endpoint.group, kind: endpoint.resource.rawValue))
    }
}
