// Watches: initial events where they are asked for, then each change of the history, bookmarks between, until the time
// is over or the client is gone. A watch has a place in the history and no queue; one that falls too far behind expires.

import APIServerState
import NIOCore
import NIOHTTP1

struct WatchHandler: Sendable {
    let handler: RequestHandler
    let exchange: Exchange
    let path: ResourcePath
    let encoding: Encoding

    /// What the parameters ask for.
    private struct Options {
        var revision: UInt64?
        var sendsInitialEvents = false
        /// A streaming list, and a bookmark at the end of its initial events.
        var isStreamingList = false
        var allowsBookmarks = false
        var timeout = Duration.seconds(1800)
    }

    func run(_ effects: [Fault.Effect]) async throws {
        let options = try options()
        let selection = try path.selection(exchange.request.query)
        let store = handler.store
        let (signal, stream, wake) = await store.signals(of: path.endpoint.resource)
        let watch = handler.connections.add(
            OpenConnections.Watch(connection: exchange.connection) { wake.finish() })
        exchange.channel.closeFuture.whenComplete { _ in wake.finish() }
        defer { handler.connections.remove(watch: watch) }
        var result: Result<Void, any Error> = .success(())
        do {
            try await exchange.start(.ok, headers: Exchange.headers(encoding.watchContentType), isChunked: true)
            var writer = WatchWriter(exchange: exchange, encoding: encoding, endpoint: path.endpoint, effects: effects)
            try await serve(options, selection, stream, wake, &writer, isExpired: effects.contains(.expire))
            try await exchange.end()
        } catch {
            result = .failure(error)
        }
        await store.forget(signal: signal)
        try result.get()
    }

    private func options() throws(APIStatus) -> Options {
        let query = exchange.request.query
        var options = Options()
        let version = query["resourceVersion"] ?? ""
        if !version.isEmpty {
            guard let number = UInt64(version) else {
                throw APIStatus(
                    code: 500, reason: "",
                    message: """
                        resourceVersion: Invalid value: "\(version)": strconv.ParseUint: parsing "\(version)": invalid syntax
                        """)
            }
            options.revision = number
        }
        options.allowsBookmarks = exchange.request.isTrue("allowWatchBookmarks")
        if let seconds = query["timeoutSeconds"].flatMap(Int64.init), seconds > 0 {
            options.timeout = .seconds(seconds)
        }
        switch query["sendInitialEvents"] {
        case nil: options.sendsInitialEvents = (options.revision ?? 0) == 0
        case let value:
            guard query["resourceVersionMatch"] == "NotOlderThan" else {
                throw .invalidOptions(
                    "resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
            }
            options.sendsInitialEvents = value == "true"
            options.isStreamingList = value == "true"
        }
        if query["sendInitialEvents"] == nil, query["resourceVersionMatch"] ?? "" != "" {
            throw .invalidOptions(
                "resourceVersionMatch",
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
        }
        return options
    }

    private func serve(
        _ options: Options, _ selection: Selection, _ stream: AsyncStream<Void>,
        _ wake: AsyncStream<Void>.Continuation, _ writer: inout WatchWriter, isExpired: Bool
    ) async throws {
        let clock = ContinuousClock()
        let end = clock.now + options.timeout
        var place = options.revision ?? 0
        if isExpired {
            let oldest = await handler.store.revision
            return try await writer.write([.error(.tooOld(place, oldest: oldest))])
        }
        if options.sendsInitialEvents {
            guard let listed = try await initialEvents(options, selection, &writer) else { return }
            place = listed
        } else if options.revision == nil {
            place = await handler.store.revision
        }
        var bookmark = clock.now + handler.settings.bookmarkInterval
        // The last one comes shortly before the end, if the watch is long enough for one to be worth it.
        var lastBookmark = options.timeout >= .seconds(10) ? end - .seconds(2) : end
        var signals = stream.makeAsyncIterator()
        while true {
            do {
                let (changes, upTo) = try await handler.store.changes(of: path.endpoint.resource, after: place)
                try await writer.write(changes.compactMap(selection.event))
                place = upTo
            } catch let status as APIStatus {
                return try await writer.write([.error(status)])
            }
            let now = clock.now
            if now >= end { return }
            if options.allowsBookmarks, now >= bookmark || now >= lastBookmark {
                try await writer.write([.bookmark(revision: place, endsInitialEvents: false)])
                if now >= lastBookmark { lastBookmark = end }
                bookmark = now + handler.settings.bookmarkInterval
            }
            let next = options.allowsBookmarks ? min(end, bookmark, lastBookmark) : end
            let timer = exchange.channel.eventLoop.scheduleTask(in: TimeAmount(next - now)) { _ = wake.yield() }
            defer { timer.cancel() }
            if await signals.next() == nil { return }
        }
    }

    /// ADDED for all that there is. Returns the revision of that state; nil when there is no going on.
    private func initialEvents(
        _ options: Options, _ selection: Selection, _ writer: inout WatchWriter
    ) async throws -> UInt64? {
        var current = await handler.store.revision
        if options.isStreamingList, let wanted = options.revision, wanted > current {
            try await Task.sleep(for: handler.settings.futureWait)
            current = await handler.store.revision
            if wanted > current {
                try await writer.write([.error(.tooLarge(wanted, current: current))])
                return nil
            }
        }
        let page = try await handler.store.list(.init(selection))
        let endsInitialEvents = options.isStreamingList && options.allowsBookmarks
        try await writer.write(
            page.objects.map { .added($0) }
                + (endsInitialEvents ? [.bookmark(revision: page.revision, endsInitialEvents: true)] : []))
        return page.revision
    }
}

extension TimeAmount {
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(max(0, seconds * 1_000_000_000 + attoseconds / 1_000_000_000))
    }
}
