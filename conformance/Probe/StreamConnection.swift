// One accepted connection: reads lines, answers each, keeps what the socket does not take at once. It ends with the
// peer's end of stream or an error; which descriptors are polled is the loop's business.

import HostCalls
import ProbeProtocol

/// The server's side of one TCP connection.
final class StreamConnection {
    let socket: Socket
    /// The number of the server that accepted it.
    let server: Int

    private let name: String
    private let client: String
    private let local: String
    private var input = LineBuffer()
    private var output: ArraySlice<UInt8> = []

    /// Fails when the client has left already.
    init(_ socket: Socket, of server: Server) throws(CallFailure) {
        self.socket = socket
        self.server = server.number
        name = server.name
        client = try socket.peerAddress().unmapped.description
        local = try socket.localAddress().unmapped.description
    }

    /// What to wait for next. While an answer is stuck no further request is read.
    var wanted: Readiness {
        output.isEmpty ? .readable : .writable
    }

    /// Does what can be done without waiting; false when the connection has ended.
    func advance() throws(CallFailure) -> Bool {
        while true {
            while !output.isEmpty {
                guard let sent = try socket.send(output) else { return true }
                output = output.dropFirst(sent)
            }
            if let line = input.next() {
                output = answer(to: line)[...]
                continue
            }
            guard let bytes = try socket.receive(upTo: 65536) else { return true }
            if bytes.isEmpty { return false }
            input.append(bytes)
        }
    }

    private func answer(to line: [UInt8]) -> [UInt8] {
        let answer = Answer(server: name, client: client, local: local, requestSize: line.count + 1)
        let text = answer.text(paddedTo: replySize(requestedBy: line) - 1)
        return Array(text.utf8) + [UInt8(ascii: "\n")]
    }
}

/// The number N of a request that begins with "reply=N;", or 0.
func replySize(requestedBy request: [UInt8]) -> Int {
    let prefix = "reply="
    guard request.starts(with: prefix.utf8) else { return 0 }
    let digits = request.dropFirst(prefix.utf8.count).prefix { $0 != UInt8(ascii: ";") }
    guard digits.count <= 6, let size = Int(String(decoding: digits, as: UTF8.self)) else { return 0 }
    return min(size, 65_507)  // the largest UDP payload over IPv4
}
