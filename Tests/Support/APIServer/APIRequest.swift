// One HTTP request, read: its path, query and headers, and what of the API it is about.

import APIServerState
import NIOHTTP1

struct APIRequest: Sendable {
    var method: HTTPMethod
    /// Percent-decoded, without the query.
    var path: String
    var query: [String: String]
    var headers: HTTPHeaders
    var body: [UInt8]
    var isHTTP2: Bool

    init(head: HTTPRequestHead, body: [UInt8], isHTTP2: Bool) {
        method = head.method
        headers = head.headers
        self.body = body
        self.isHTTP2 = isHTTP2
        let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = Self.decoded(parts.first ?? "")
        query = [:]
        for pair in parts.dropFirst().first?.split(separator: "&") ?? [] {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            query[Self.decoded(sides[0])] = sides.count > 1 ? Self.decoded(sides[1]) : ""
        }
    }

    func isTrue(_ name: String) -> Bool {
        ["true", "1"].contains(query[name] ?? "")
    }

    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let code = UInt8(Substring(rest.prefix(2)), radix: 16), rest.count >= 2 {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// What a path of a resource names.
struct ResourcePath: Equatable {
    var endpoint: Endpoint
    var namespace: String?
    var name: String?
    var isStatus = false

    /// nil for paths that are not of a resource of this server.
    init?(_ path: String) {
        var parts = path.split(separator: "/").map(String.init)[...]
        let group: String
        if parts.starts(with: ["api", "v1"]) {
            group = ""
            parts = parts.dropFirst(2)
        } else if parts.count >= 3, parts[0] == "apis", parts[2] == "v1" {
            group = parts[1]
            parts = parts.dropFirst(3)
        } else {
            return nil
        }
        if parts.first == "namespaces", parts.count >= 3, parts[parts.startIndex + 2] != "status" {
            namespace = parts[parts.startIndex + 1]
            parts = parts.dropFirst(2)
        }
        guard let plural = parts.popFirst(), let endpoint = Endpoint.find(group: group, plural: plural),
            namespace == nil || endpoint.resource.isNamespaced
        else { return nil }
        self.endpoint = endpoint
        name = parts.popFirst()
        if let subresource = parts.popFirst() {
            guard subresource == "status", endpoint.resource.hasStatus else { return nil }
            isStatus = true
        }
        if !parts.isEmpty || (endpoint.resource.isNamespaced && name != nil && namespace == nil) { return nil }
    }

    var key: ObjectKey { ObjectKey(namespace: namespace ?? "", name: name ?? "") }

    /// nil for a method that the path does not have.
    func verb(_ request: APIRequest) -> Verb? {
        if name == nil {
            if request.method == .GET { return request.isTrue("watch") ? .watch : .list }
            let isCreatable = namespace != nil || !endpoint.resource.isNamespaced
            return request.method == .POST && isCreatable ? .create : nil
        }
        if request.method == .GET { return .get }
        if request.method == .PUT { return .update }
        if request.method == .PATCH { return .patch }
        return request.method == .DELETE && !isStatus ? .delete : nil
    }
}
