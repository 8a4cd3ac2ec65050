// The table of a probe's client sockets, and the calls that go step by step through handles.

import Glibc
import HostCalls
import ProbeProtocol

/// Client sockets by handle. Used by the request thread only.
final class ClientSockets {
    private var sockets: [Int: Exchange] = [:]
    private var nextHandle = 1

    func open(_ call: Open) throws(CallFailure) -> Open.Reply {
        let socket = try Socket.open(call.transport, call.family, nonblocking: true)
        if call.reuse { try socket.allowSharedBinding() }
        if let address = call.bind { try socket.bind(address) }
        let exchange = Exchange(socket)
        if let to = call.to { try exchange.connect(to, within: call.timeout) }
        let handle = nextHandle
        nextHandle += 1
        sockets[handle] = exchange
        return Open.Reply(handle: handle)
    }

    func reconnect(_ call: Reconnect) throws(CallFailure) -> Done {
        let exchange = try find(call.handle)
        if let to = call.to {
            try exchange.connect(to, within: call.timeout)
        } else {
            try exchange.socket.disconnect()
        }
        return Done()
    }

    func peerName(_ call: PeerName) throws(CallFailure) -> SocketAddress {
        try find(call.handle).socket.peerAddress()
    }

    func localName(_ call: LocalName) throws(CallFailure) -> SocketAddress {
        try find(call.handle).socket.localAddress()
    }

    func send(_ call: Send) throws(CallFailure) -> Done {
        let exchange = try find(call.handle)
        try exchange.send(exchange.request(call.payload, size: call.size), to: call.to, within: 2000)
        return Done()
    }

    func receive(_ call: Receive) throws(CallFailure) -> Receive.Reply {
        var exchange = try find(call.handle)
        defer { sockets[call.handle] = exchange }
        let reply = try exchange.receive(within: call.timeout)
        return Receive.Reply(payload: String(decoding: reply.bytes, as: UTF8.self), source: reply.source)
    }

    func close(_ call: Close) throws(CallFailure) -> Done {
        _ = try find(call.handle)
        sockets[call.handle] = nil
        return Done()
    }

    func checkAlive(_ call: CheckAlive) throws(CallFailure) -> CheckAlive.Reply {
        let socket = try find(call.handle).socket
        let events = try socket.descriptor.poll(Int16(POLLRDHUP), milliseconds: 0)
        let error = socket.takeError()
        let broken = Int16(POLLERR) | Int16(POLLHUP) | Int16(POLLRDHUP)
        return CheckAlive.Reply(
            alive: events & broken == 0 && error == 0, error: error == 0 ? nil : errorName(error))
    }

    func tryBind(_ call: TryBind) throws(CallFailure) -> Done {
        let socket = try Socket.open(call.transport, call.family)
        if call.onlyIPv6 { try socket.limitToIPv6() }
        try socket.bind(call.address)
        switch call.transport {
        case .tcp, .mptcp: try socket.listen()
        case .udp: break
        }
        return Done()
    }

    private func find(_ handle: Int) throws(CallFailure) -> Exchange {
        guard let exchange = sockets[handle] else { throw CallFailure("find", "handle \(handle)", errno: EBADF) }
        return exchange
    }
}

/// From bits/poll.h; the Glibc module lacks it.
private let POLLRDHUP = 0x2000
