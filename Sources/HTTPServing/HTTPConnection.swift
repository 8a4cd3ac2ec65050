// The handler at the end of each connection's pipeline: it executes what HTTPConnectionState decides, keeps its
// deadline, and frames answers. Requests leave it as HTTPRequest values for the task that serves the connection.

import NIOCore
import NIOHTTP1

final class HTTPConnection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPRequest
    typealias OutboundIn = HTTPAnswer
    typealias OutboundOut = HTTPServerResponsePart

    private let limits: HTTPLimits
    private var state: HTTPConnectionState
    private var deadline: Scheduled<Void>?

    init(limits: HTTPLimits) {
        self.limits = limits
        state = HTTPConnectionState(limits: limits)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { setDeadline(limits.step, context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        setDeadline(limits.step, context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state.received(unwrapInboundIn(data)) {
        case .nothing:
            break
        case .answer(let request, let isFirst):
            if isFirst { setDeadline(limits.step, context) }
            context.fireChannelRead(wrapInboundOut(request))
        case .end(let ending):
            end(ending, context)
        }
    }

    /// What the decoder refuses is answered; any other error is the connection's own, and the end of it. Neither goes
    /// on to the serving task, which would give up answers that are due.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let parserError = error as? HTTPParserError else {
            context.close(promise: nil)
            return
        }
        switch parserError {
        case .headerOverflow: end(state.refuse(.requestHeaderFieldsTooLarge), context)
        case .invalidVersion: end(state.refuse(.httpVersionNotSupported), context)
        case .invalidEOFState: end(state.takeNoMore(), context)
        default: end(state.refuse(.badRequest), context)
        }
    }

    /// The end of the client's side and the server's shutdown are the same to us. Neither ends the stream of requests,
    /// since answers may still be due; closing the connection does.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent || event as? ChannelEvent == .inputClosed {
            end(state.takeNoMore(), context)
        } else if event as? ChannelEvent != .outputClosed {
            context.fireUserInboundEventTriggered(event)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard let framing = state.answers() else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        send(unwrapOutboundIn(data), sendsBody: framing.sendsBody, closes: framing.closes, context, promise)
    }

    private func send(
        _ answer: HTTPAnswer, sendsBody: Bool, closes: Bool, _ context: ChannelHandlerContext,
        _ promise: EventLoopPromise<Void>?
    ) {
        var head = HTTPResponseHead(version: .http1_1, status: answer.status)
        head.headers.add(name: "Content-Type", value: answer.contentType)
        head.headers.add(name: "Content-Length", value: "\(answer.body.utf8.count)")
        head.headers.add(name: "X-Content-Type-Options", value: "nosniff")
        for header in answer.headers {
            head.headers.add(name: header.name, value: header.value)
        }
        if closes { head.headers.add(name: "Connection", value: "close") }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if sendsBody, !answer.body.isEmpty {
            let body = context.channel.allocator.buffer(string: answer.body)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
        written.futureResult.assumeIsolated().whenSuccess { self.wroteAnswer(context) }
    }

    private func wroteAnswer(_ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        setDeadline(limits.step, context)
        end(state.wroteAnswer(), context)
    }

    private func end(_ ending: HTTPConnectionState.Ending, _ context: ChannelHandlerContext) {
        switch ending {
        case .not:
            break
        case .close:
            context.close(promise: nil)
        case .refuse(let status):
            send(.plain(status), sendsBody: true, closes: true, context, nil)
        case .linger:
            setDeadline(limits.lingering, context)
            context.close(mode: .output, promise: nil)
        }
    }

    /// Every step ends in another deadline or in the end of the connection, so a client can never hold one for good.
    private func setDeadline(_ duration: Duration, _ context: ChannelHandlerContext) {
        deadline?.cancel()
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(duration)) {
            context.close(promise: nil)
        }
    }
}
