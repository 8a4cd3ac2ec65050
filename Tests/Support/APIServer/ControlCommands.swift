// The control commands of a server that runs as a process: POST /NAME?PARAMETERS, answered with a line of text.

import APIServerState
import NIOHTTP1

struct ControlCommands: Sendable {
    struct Problem: Error {
        var text: String
    }

    let server: APIServer

    func handle(_ exchange: Exchange) async throws {
        do {
            guard exchange.request.method == .POST else { throw Problem(text: "POST is expected") }
            let text = try await perform(exchange.request)
            try await exchange.answer(.ok, "text/plain; charset=utf-8", Array("\(text)\n".utf8))
        } catch let problem as Problem {
            try await exchange.answer(.badRequest, "text/plain; charset=utf-8", Array("\(problem.text)\n".utf8))
        } catch let status as APIStatus {
            try await exchange.answer(.badRequest, "text/plain; charset=utf-8", Array("\(status.message)\n".utf8))
        }
    }

    private func perform(_ request: APIRequest) async throws -> String {
        switch request.path {
        case "/cut-connections": server.cutConnections()
        case "/cut-watches": server.cutWatches()
        case "/end-watches": server.endWatches()
        case "/stall": server.stall()
        case "/release": server.release()
        case "/go-away": await server.goAway()
        case "/come-back": try await server.comeBack()
        case "/compact": await server.store.compact(before: request.query["before"].flatMap(UInt64.init))
        case "/clear-faults": server.clearFaults()
        case "/fault": server.add(try fault(request))
        case "/services":
            try await server.store.makeServices(
                try number(request, "count"), endpointsEach: try number(request, "endpoints"))
        case "/storm":
            let made = try await server.storm(
                changesPerSecond: try number(request, "rate"), for: .seconds(try number(request, "seconds")),
                services: try number(request, "services"))
            return String(made)
        case "/uses": return server.journal.uses(by: request.query["user"] ?? "").joined(separator: "\n")
        case "/revision": return String(await server.store.revision)
        default: throw Problem(text: "no such command: \(request.path)")
        }
        return "ok"
    }

    private func number(_ request: APIRequest, _ name: String, default value: Int? = nil) throws(Problem) -> Int {
        guard let number = request.query[name].map(Int.init) ?? value, number > 0 else {
            throw Problem(text: "\(name) must be a number above 0")
        }
        return number
    }

    private func fault(_ request: APIRequest) throws(Problem) -> Fault {
        let query = request.query
        let effect: Fault.Effect
        switch query["effect"] {
        case "answer":
            effect = .answer(
                code: try number(request, "code"), retryAfterSeconds: query["retryAfter"].flatMap { Int($0) })
        case "cut": effect = .cut
        case "stall": effect = .stall
        case "delay": effect = .delay(.milliseconds(try number(request, "milliseconds")))
        case "refuse-streaming-list": effect = .refuseStreamingList
        case "expire": effect = .expire
        case "stale": effect = .stale(revision: UInt64(try number(request, "revision")))
        case "cut-frame": effect = .cutFrame(afterEvents: query["after"].flatMap { Int($0) } ?? 0)
        case "duplicate-events": effect = .duplicateEvents
        case "reorder-events": effect = .reorderEvents
        case let other: throw Problem(text: "no such effect: \(other ?? "")")
        }
        var fault = Fault(effect)
        if let name = query["verb"] {
            guard let verb = Verb(rawValue: name) else { throw Problem(text: "no such verb: \(name)") }
            fault.verb = verb
        }
        if let name = query["resource"] {
            guard let resource = Resource(rawValue: name) else { throw Problem(text: "no such resource: \(name)") }
            fault.resource = resource
        }
        if query["times"] != nil { fault.remaining = try number(request, "times") }
        return fault
    }
}
