// The handler nearest to the socket: it can hold back all bytes in both directions, TLS and HTTP/2 pings among them, so
// that the peer sees a connection that is open and dead.

import NIOCore

final class ConnectionGate: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var isStalled: Bool
    private var context: ChannelHandlerContext?
    private var heldReads: [ByteBuffer] = []
    private var heldWrites: [(ByteBuffer, EventLoopPromise<Void>?)] = []

    init(isStalled: Bool) {
        self.isStalled = isStalled
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        for (_, promise) in heldWrites { promise?.fail(ChannelError.ioOnClosedChannel) }
        heldWrites = []
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isStalled { heldReads.append(unwrapInboundIn(data)) } else { context.fireChannelRead(data) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if isStalled {
            heldWrites.append((unwrapOutboundIn(data), promise))
        } else {
            context.write(data, promise: promise)
        }
    }

    func stall() {
        isStalled = true
    }

    func release() {
        guard isStalled, let context else { return }
        isStalled = false
        for buffer in heldReads { context.fireChannelRead(wrapInboundOut(buffer)) }
        if !heldReads.isEmpty { context.fireChannelReadComplete() }
        for (buffer, promise) in heldWrites { context.write(wrapOutboundOut(buffer), promise: promise) }
        context.flush()
        heldReads = []
        heldWrites = []
    }

    /// Closes the socket at once, below TLS and HTTP/2: nobody says goodbye.
    func cut() {
        context?.close(promise: nil)
    }
}

/// A connection, for whoever is not on its event loop.
struct Connection: Sendable {
    let channel: any Channel
    private let gate: NIOLoopBound<ConnectionGate>

    init(channel: any Channel, gate: ConnectionGate) {
        self.channel = channel
        self.gate = NIOLoopBound(gate, eventLoop: channel.eventLoop)
    }

    func stall() {
        channel.eventLoop.execute { gate.value.stall() }
    }

    func release() {
        channel.eventLoop.execute { gate.value.release() }
    }

    func cut() {
        channel.eventLoop.execute { gate.value.cut() }
    }
}
