// Datagrams with the addresses on both ends, for unconnected sockets: a server that answers from the address it was
// asked at, and a client that wants to know who answered.

internal import CHostCalls
internal import Glibc

/// One received datagram.
package struct Datagram: Sendable {
    package let payload: [UInt8]
    package let source: SocketAddress
    /// The address it was sent to, when the socket reports destinations; the port is 0.
    package let destination: SocketAddress?
}

extension Socket {
    /// Receives one datagram of at most `limit` bytes; nil when none waits.
    package func receiveDatagram(upTo limit: Int = 65536) throws(CallFailure) -> Datagram? {
        var source = RawAddress()
        var destination = RawAddress()
        var error: Int32 = 0
        let payload = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            let result = unsafe host_receive_datagram(
                descriptor.number, buffer.baseAddress, limit, &source.storage, &destination.storage)
            if result < 0 { error = errno }
            count = max(0, result)
        }
        if error == EAGAIN || error == EINTR { return nil }
        if error != 0 { throw CallFailure("recvmsg", errno: error) }
        return Datagram(
            payload: payload, source: source.decoded ?? SocketAddress("", 0),
            destination: destination.isPresent ? destination.decoded : nil)
    }

    /// Sends one datagram. `to` nil means the connected peer; `from` nil leaves the source to the kernel.
    package func sendDatagram(
        _ payload: [UInt8], to: SocketAddress?, from: SocketAddress? = nil
    ) throws(CallFailure) {
        var destination = RawAddress()
        var source = RawAddress()
        if let to { destination = try RawAddress(to, family) }
        if let from { source = try RawAddress(from, family) }
        let sent = unsafe payload.withUnsafeBytes { buffer in
            unsafe host_send_datagram(
                descriptor.number, buffer.baseAddress, buffer.count, &destination.storage, &source.storage)
        }
        try checked(sent, "sendmsg", to.map { "\($0)" } ?? "")
    }
}
