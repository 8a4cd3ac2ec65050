// All servers of a probe on one thread: listeners, datagram sockets and thousands of accepted connections share one
// poller. The request thread adds and removes servers; everything else happens on the loop's own thread.

import HostCalls
import ProbeProtocol
import Synchronization

/// One listening or datagram socket.
struct Server: Sendable {
    let number: Int
    let socket: Socket
    let name: String
}

/// The server thread and its mailbox.
final class ServerLoop: Sendable {
    private struct Shared {
        var servers: [Int: Server] = [:]
        var stopping: [StopServing] = []
        var nextNumber = 1
    }

    /// Tokens below this are server numbers; 0 is the alarm.
    private static let firstConnectionToken: UInt64 = 1 << 32

    private let poller: Poller
    private let shared = Mutex(Shared())
    private let alarm: Descriptor
    private let alarmed: Descriptor

    init() throws(CallFailure) {
        poller = try Poller()
        let pair = try Descriptor.pair()
        alarm = pair.own
        alarmed = pair.other
        try poller.add(alarmed, for: .readable, token: 0)
    }

    func serve(_ call: Serve) throws(CallFailure) -> Serve.Reply {
        let socket = try Socket.open(call.transport, call.address.family, nonblocking: true)
        switch call.transport {
        case .tcp, .mptcp:
            try socket.allowRebinding()
            try socket.bind(call.address)
            try socket.listen()
        case .udp:
            try socket.reportDestinations()
            try socket.bind(call.address)
        }
        let address = try socket.localAddress()
        let server = shared.withLock { shared in
            let server = Server(number: shared.nextNumber, socket: socket, name: call.name)
            shared.nextNumber += 1
            shared.servers[server.number] = server
            return server
        }
        try poller.add(socket.descriptor, for: .readable, token: UInt64(server.number))
        return Serve.Reply(server: server.number, address: address)
    }

    /// Returns when the server's socket is closed.
    func stop(_ call: StopServing) throws(CallFailure) -> Done {
        let known = shared.withLock { shared in
            guard shared.servers[call.server] != nil else { return false }
            shared.stopping.append(call)
            return true
        }
        guard known else { throw CallFailure("stopServing", "server \(call.server)", errno: 2) }
        try alarm.write([1])
        while shared.withLock({ !$0.stopping.isEmpty }) { pause(milliseconds: 1) }
        return Done()
    }

    /// The loop; ends only with the process.
    func run() {
        var connections: [UInt64: StreamConnection] = [:]
        var nextToken = Self.firstConnectionToken
        while let events = try? poller.wait(milliseconds: -1) {
            for event in events {
                if event.token == 0 {
                    removeStopped(&connections)
                } else if event.token >= Self.firstConnectionToken {
                    drive(event.token, event.readiness, &connections)
                } else if let server = shared.withLock({ $0.servers[Int(event.token)] }) {
                    take(from: server, &connections, &nextToken)
                }
            }
        }
    }

    private func removeStopped(_ connections: inout [UInt64: StreamConnection]) {
        _ = try? alarmed.read(upTo: 1)
        shared.withLock { shared in
            for call in shared.stopping {
                guard let server = shared.servers.removeValue(forKey: call.server) else { continue }
                poller.remove(server.socket.descriptor)
                if !call.keepConnections { connections = connections.filter { $0.value.server != call.server } }
            }
            shared.stopping = []
        }
    }

    private func drive(
        _ token: UInt64, _ readiness: Readiness, _ connections: inout [UInt64: StreamConnection]
    ) {
        guard let connection = connections[token] else { return }
        let before = connection.wanted
        guard (try? connection.advance()) == true else {
            connections[token] = nil
            return
        }
        guard connection.wanted != before else { return }
        try? poller.change(connection.socket.descriptor, to: connection.wanted, token: token)
    }

    private func take(
        from server: Server, _ connections: inout [UInt64: StreamConnection], _ nextToken: inout UInt64
    ) {
        switch server.socket.transport {
        case .udp:
            answerDatagrams(server)
        case .tcp, .mptcp:
            // A connection that is gone before it is accepted, or a full table of descriptors, concerns only that one.
            while let accepted = try? server.socket.accept() {
                guard let connection = try? StreamConnection(accepted, of: server) else { continue }
                let token = nextToken
                nextToken += 1
                guard (try? poller.add(accepted.descriptor, for: connection.wanted, token: token)) != nil else {
                    continue
                }
                connections[token] = connection
            }
        }
    }

    private func answerDatagrams(_ server: Server) {
        guard let port = try? server.socket.localAddress().port else { return }
        // A receive error is the ICMP echo of an earlier answer to a client that has gone; it is consumed by reading.
        while let datagram = try? server.socket.receiveDatagram() {
            let local = SocketAddress(datagram.destination?.address ?? "", port)
            let answer = Answer(
                server: server.name, client: datagram.source.unmapped.description,
                local: local.unmapped.description, requestSize: datagram.payload.count)
            let text = answer.text(paddedTo: replySize(requestedBy: datagram.payload))
            try? server.socket.sendDatagram(
                Array(text.utf8), to: datagram.source, from: datagram.destination)
        }
    }
}
