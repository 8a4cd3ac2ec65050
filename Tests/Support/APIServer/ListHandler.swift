// Lists: whole and paged, the newest state and older ones.

import APIServerState
import NIOHTTP1

struct ListHandler: Sendable {
    let handler: RequestHandler
    let exchange: Exchange
    let path: ResourcePath
    let encoding: Encoding

    func run(_ effects: [Fault.Effect]) async throws {
        var list = try request()
        let query = exchange.request.query
        if effects.contains(.expire) {
            throw list.token.map { .continueTooOld(ContinueToken(revision: nil, last: $0.last).text) }
                ?? APIStatus.listTooOld
        }
        if let wanted = UInt64(query["resourceVersion"] ?? ""), wanted > 0 {
            try await waitForRevision(wanted)
        }
        for case .stale(let revision) in effects where list.token == nil { list.revision = revision }
        let page = try await handler.store.list(list)
        let body = encoding.list(page, path.endpoint)
        for case .cutFrame in effects { try await cut(body) }
        try await exchange.answer(.ok, encoding.contentType, body)
    }

    private func request() throws(APIStatus) -> ObjectStore.ListRequest {
        let query = exchange.request.query
        var list = ObjectStore.ListRequest(try path.selection(query))
        list.limit = query["limit"].flatMap(Int.init).flatMap { $0 > 0 ? $0 : nil }
        let version = query["resourceVersion"] ?? ""
        let match = query["resourceVersionMatch"] ?? ""
        guard version.isEmpty || UInt64(version) != nil else {
            throw .badRequest(
                """
                invalid resource version: resourceVersion: Invalid value: "\(version)": strconv.ParseUint: parsing \
                "\(version)": invalid syntax
                """)
        }
        if query["sendInitialEvents"] != nil {
            throw .invalidOptions("sendInitialEvents", "sendInitialEvents is forbidden for list")
        }
        if let text = query["continue"], !text.isEmpty {
            guard version.isEmpty || version == "0" else {
                throw .badRequest("specifying resource version is not allowed when using continue")
            }
            list.token = try ContinueToken(text)
        }
        switch match {
        case "", "NotOlderThan": break
        case "Exact" where version != "0": list.revision = UInt64(version)
        default:
            throw .invalidOptions("resourceVersionMatch", "resourceVersionMatch \"\(match)\" is forbidden here")
        }
        if !match.isEmpty && version.isEmpty {
            throw .invalidOptions(
                "resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided")
        }
        // The cache, which answers this, does not page.
        if version == "0" && list.token == nil { list.limit = nil }
        return list
    }

    private func waitForRevision(_ wanted: UInt64) async throws {
        let current = await handler.store.revision
        if wanted <= current { return }
        try await Task.sleep(for: handler.settings.futureWait)
        let now = await handler.store.revision
        if wanted > now { throw APIStatus.tooLarge(wanted, current: now) }
    }

    /// Promises the whole body, sends half of it, and is gone.
    private func cut(_ body: [UInt8]) async throws {
        let headers = Exchange.headers(encoding.contentType) + [("Content-Length", String(body.count))]
        try await exchange.start(.ok, headers: headers, isChunked: false)
        try await exchange.send(Array(body.prefix(body.count / 2)))
        exchange.connection.cut()
        throw ConnectionGone()
    }
}

extension ResourcePath {
    func selection(_ query: [String: String]) throws(APIStatus) -> Selection {
        var selection = Selection(
            endpoint, namespace: namespace, labels: try LabelSelector(query["labelSelector"] ?? ""),
            fields: try FieldSelector(query["fieldSelector"] ?? "", for: endpoint))
        if let name {
            selection.fields.terms.append(.init(path: "metadata.name", value: name, isEqual: true))
        }
        return selection
    }
}
