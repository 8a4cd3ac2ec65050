// Reads request lines, hands each to the part that answers it, writes the response line. One request at a time:
// what takes long (servers, loads) runs on threads of its own and is asked about later.

import FoundationEssentials
import HostCalls
import ProbeProtocol

/// The probe's life from greeting to the end of its standard input.
struct RequestLoop {
    private typealias Handler = (Data) throws -> Data

    private var handlers: [String: Handler] = [:]
    private let servers: ServerLoop
    private let clients = ClientSockets()
    private let loads = Loads()

    init() throws(CallFailure) {
        // A probe may hold very many connections; where the kernel's nr_open is lower than this, it keeps its limit.
        try? raiseFileLimit(to: 262_144)
        servers = try ServerLoop()
        registerServers()
        registerClients()
        registerLoads()
        registerSurroundings()
    }

    /// Returns when standard input ends.
    func run() throws {
        try startThread { [servers] in servers.run() }
        let input = Descriptor.standardInput
        let output = Descriptor.standardOutput
        let greeting = ProbeResponse(id: 0, result: Greeting(pid: ownProcessIdentifier()))
        try output.write(Array(try JSONEncoder().encode(greeting)) + [UInt8(ascii: "\n")])

        var lines = LineBuffer()
        while true {
            let bytes = try input.read(upTo: 65536)
            if bytes.isEmpty { return }
            lines.append(bytes)
            while let line = lines.next() {
                try output.write(Array(try respond(to: Data(line))) + [UInt8(ascii: "\n")])
            }
        }
    }

    private func respond(to line: Data) throws -> Data {
        let head: ProbeRequestHead
        do {
            head = try JSONDecoder().decode(ProbeRequestHead.self, from: line)
        } catch {
            return try failure(0, CallFailure("decode", "the request line", errno: 22))
        }
        guard let handler = handlers[head.call] else {
            return try failure(head.id, CallFailure("decode", "the unknown call \(head.call)", errno: 38))
        }
        do {
            return try handler(line)
        } catch let error as CallFailure {
            return try failure(head.id, error)
        } catch {
            return try failure(head.id, CallFailure("decode", "the arguments of \(head.call): \(error)", errno: 22))
        }
    }

    private func failure(_ id: Int, _ failure: CallFailure) throws -> Data {
        try JSONEncoder().encode(ProbeResponse<Done>(id: id, failure: failure))
    }

    private mutating func on<Call: ProbeCall>(
        _ call: Call.Type, _ body: @escaping (Call) throws(CallFailure) -> Call.Reply
    ) {
        handlers[Call.name] = { line in
            let request = try JSONDecoder().decode(ProbeRequest<Call>.self, from: line)
            return try JSONEncoder().encode(ProbeResponse(id: request.id, result: try body(request.arguments)))
        }
    }
}

extension RequestLoop {
    private mutating func registerServers() {
        let servers = self.servers
        on(Serve.self) { call throws(CallFailure) in try servers.serve(call) }
        on(StopServing.self) { call throws(CallFailure) in try servers.stop(call) }
    }

    private mutating func registerClients() {
        let clients = self.clients
        on(Open.self) { call throws(CallFailure) in try clients.open(call) }
        on(Reconnect.self) { call throws(CallFailure) in try clients.reconnect(call) }
        on(PeerName.self) { call throws(CallFailure) in try clients.peerName(call) }
        on(LocalName.self) { call throws(CallFailure) in try clients.localName(call) }
        on(Send.self) { call throws(CallFailure) in try clients.send(call) }
        on(Receive.self) { call throws(CallFailure) in try clients.receive(call) }
        on(Close.self) { call throws(CallFailure) in try clients.close(call) }
        on(CheckAlive.self) { call throws(CallFailure) in try clients.checkAlive(call) }
        on(TryBind.self) { call throws(CallFailure) in try clients.tryBind(call) }
        on(Ask.self) { call throws(CallFailure) in Asker(call).run() }
    }

    private mutating func registerLoads() {
        let loads = self.loads
        on(StartLoad.self) { call throws(CallFailure) in try loads.start(call) }
        on(InspectLoad.self) { call throws(CallFailure) in try loads.inspect(call) }
        on(StopLoad.self) { call throws(CallFailure) in try loads.stop(call) }
    }

    private mutating func registerSurroundings() {
        on(SetSetting.self) { call throws(CallFailure) in
            try KernelSetting(call.setting).write(call.value)
            return Done()
        }
        on(ReadSetting.self) { call throws(CallFailure) in
            ReadSetting.Reply(value: try KernelSetting(call.setting).read())
        }
        on(AwaitAddresses.self) { call throws(CallFailure) in try LocalRoutes.await(call) }
        on(SetChecksumOffload.self) { call throws(CallFailure) in
            try setTransmitChecksumOffload(call.interface, on: call.on)
            return Done()
        }
    }
}
