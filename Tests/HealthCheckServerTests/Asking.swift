// A client that asks once, and ports to ask at.

import Foundation
import HostCalls
import NIOCore
import NIOPosix
import NetworkTypes
import Testing

struct Asking {
    let status: Int
    let headers: [String]
    let json: [String: Any]

    static func get(_ path: String, at address: AddressAndPort) async throws -> Asking {
        try await send("GET \(path)", to: address)
    }

    static func send(_ line: String, to address: AddressAndPort) async throws -> Asking {
        let text = try await exchange("\(line) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n", address)
        let parts = text.components(separatedBy: "\r\n\r\n")
        let lines = parts[0].components(separatedBy: "\r\n")
        let status = try #require(lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) })
        let json = try? JSONSerialization.jsonObject(with: Data(parts.dropFirst().joined().utf8))
        return Asking(status: status, headers: Array(lines.dropFirst()), json: json as? [String: Any] ?? [:])
    }

    static func expect(_ status: Int, _ path: String, at address: AddressAndPort) async throws {
        let answer = try await get(path, at: address)
        #expect(answer.status == status)
    }

    static func expectRefused(_ address: AddressAndPort) async {
        let isRefused = await isRefused(address)
        #expect(isRefused)
    }

    private static func isRefused(_ address: AddressAndPort) async -> Bool {
        do {
            _ = try await exchange("", address)
            return false
        } catch {
            return "\(error)".contains("onnection refused")
        }
    }

    private static func exchange(_ request: String, _ address: AddressAndPort) async throws -> String {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(to: NIOCore.SocketAddress(ipAddress: "\(address.address)", port: Int(address.port))) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            if !request.isEmpty { try await outbound.write(ByteBuffer(string: request)) }
            guard !request.isEmpty else { return "" }
            var all = ByteBuffer()
            for try await var piece in inbound { all.writeBuffer(&piece) }
            return String(buffer: all)
        }
    }
}

/// A port that a socket of ours holds on 127.0.0.1, until it is given up.
final class FreePort {
    let port: UInt16
    private var socket: Socket?

    init() throws {
        let socket = try Socket.open(.tcp, .v4)
        try socket.bind(HostCalls.SocketAddress("127.0.0.1", 0))
        try socket.listen()
        port = try socket.localAddress().port
        self.socket = socket
    }

    func giveUp() { socket = nil }

    /// A port that was free a moment ago.
    static func find() throws -> UInt16 {
        let held = try FreePort()
        return held.port
    }
}
