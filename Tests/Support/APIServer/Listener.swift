// A listening socket and the connections it accepts: TLS, ALPN, HTTP/1.1 and HTTP/2, down to one exchange at a time.

import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL

struct Listener: Sendable {
    typealias HTTPChannel = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>
    typealias Negotiated = EventLoopFuture<
        NIONegotiatedHTTPVersion<HTTPChannel, ((any Channel), NIOHTTP2Handler.AsyncStreamMultiplexer<HTTPChannel>)>
    >
    typealias Respond = @Sendable (Exchange) async throws -> Void

    enum Accepted: Sendable {
        case plain(HTTPChannel, Connection)
        case secure(Negotiated, Connection)
    }

    private let accepted: NIOAsyncChannel<Accepted, Never>
    private let settings: ServerSettings

    var port: Int { accepted.channel.localAddress?.port ?? 0 }

    static func listen(
        on address: ServerSettings.Address, settings: ServerSettings, connections: OpenConnections,
        _ group: MultiThreadedEventLoopGroup
    ) async throws -> Listener {
        let tls = try tlsContext(settings.security)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.so_reuseaddr), value: 1)
        let initializer: @Sendable (any Channel) -> EventLoopFuture<Accepted> = { channel in
            channel.eventLoop.makeCompletedFuture {
                let gate = ConnectionGate(isStalled: connections.stallsNew)
                try channel.pipeline.syncOperations.addHandler(gate)
                let connection = Connection(channel: channel, gate: gate)
                connections.add(connection)
                return try accept(channel, connection, tls)
            }
        }
        let accepted =
            switch address {
            case .tcp(let host, let port):
                try await bootstrap.bind(host: host, port: port, childChannelInitializer: initializer)
            case .unix(let path):
                try await bootstrap.bind(
                    unixDomainSocketPath: path, cleanupExistingSocketFile: true, childChannelInitializer: initializer)
            }
        return Listener(accepted: accepted, settings: settings)
    }

    private static func tlsContext(_ security: ServerSettings.Security) throws -> NIOSSLContext? {
        guard case .tls(let files, let http2) = security else { return nil }
        let chain = try NIOSSLCertificate.fromPEMFile(files.certificate).map { NIOSSLCertificateSource.certificate($0) }
        let key = try NIOSSLPrivateKey(file: files.key, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = http2 ? ["h2", "http/1.1"] : ["http/1.1"]
        // As the API server does: a client certificate is asked for, and must be good if there is one.
        configuration.certificateVerification = .optionalVerification
        configuration.trustRoots = .file(files.authority)
        return try NIOSSLContext(configuration: configuration)
    }

    private static func accept(
        _ channel: any Channel, _ connection: Connection, _ tls: NIOSSLContext?
    ) throws -> Accepted {
        let pipeline = channel.pipeline.syncOperations
        guard let tls else {
            try pipeline.configureHTTPServerPipeline()
            return .plain(try HTTPChannel(wrappingChannelSynchronously: channel), connection)
        }
        try pipeline.addHandler(NIOSSLServerHandler(context: tls))
        let negotiated = channel.configureAsyncHTTPServerPipeline(
            http1ConnectionInitializer: { channel in
                channel.eventLoop.makeCompletedFuture { try HTTPChannel(wrappingChannelSynchronously: channel) }
            },
            http2ConnectionInitializer: { channel in channel.eventLoop.makeCompletedFuture { channel } },
            http2StreamInitializer: { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(HTTP2FramePayloadToHTTP1ServerCodec())
                    return try HTTPChannel(wrappingChannelSynchronously: channel)
                }
            })
        return .secure(negotiated.flatMap { $0 }, connection)
    }

    func close() async {
        try? await accepted.channel.close()
    }

    /// Until the listener is closed. Errors of a connection end that connection.
    func serve(_ respond: @escaping Respond) async throws {
        try await accepted.executeThenClose { incoming in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in incoming {
                    group.addTask { try? await serve(connection, respond) }
                }
                group.cancelAll()
            }
        }
    }

    private func serve(_ accepted: Accepted, _ respond: @escaping Respond) async throws {
        switch accepted {
        case .plain(let channel, let connection): try await exchanges(channel, connection, isHTTP2: false, respond)
        case .secure(let negotiated, let connection):
            switch try await negotiated.get() {
            case .http1_1(let channel): try await exchanges(channel, connection, isHTTP2: false, respond)
            case .http2((_, let multiplexer)):
                try await withThrowingDiscardingTaskGroup { group in
                    for try await stream in multiplexer.inbound {
                        group.addTask { try? await exchanges(stream, connection, isHTTP2: true, respond) }
                    }
                }
            }
        }
    }

    private func exchanges(
        _ channel: HTTPChannel, _ connection: Connection, isHTTP2: Bool, _ respond: Respond
    ) async throws {
        try await channel.executeThenClose { inbound, outbound in
            var head: HTTPRequestHead?
            var body: [UInt8] = []
            for try await part in inbound {
                switch part {
                case .head(let begun):
                    head = begun
                    body = []
                case .body(let buffer):
                    // One byte over the limit is enough to be refused.
                    body.append(contentsOf: buffer.readableBytesView.prefix(settings.bodyLimit + 1 - body.count))
                case .end:
                    guard let complete = head else { continue }
                    try await respond(
                        Exchange(
                            request: APIRequest(head: complete, body: body, isHTTP2: isHTTP2), writer: outbound,
                            connection: connection, channel: channel.channel, chunkBytes: settings.chunkBytes))
                    if isHTTP2 || !complete.isKeepAlive { return }
                }
            }
        }
    }
}
