// Sends the events of one watch, with the faults that it was given.

import APIServerState

struct WatchWriter {
    private static let batchBytes = 64 << 10
    let exchange: Exchange
    let encoding: Encoding
    let endpoint: Endpoint
    private let duplicates: Bool
    private let reorders: Bool
    /// How many more whole events there will be.
    private var eventsUntilCut: Int?

    init(exchange: Exchange, encoding: Encoding, endpoint: Endpoint, effects: [Fault.Effect]) {
        self.exchange = exchange
        self.encoding = encoding
        self.endpoint = endpoint
        duplicates = effects.contains(.duplicateEvents)
        reorders = effects.contains(.reorderEvents)
        for case .cutFrame(let count) in effects { eventsUntilCut = count }
    }

    mutating func write(_ events: [WatchEvent]) async throws {
        var events = events
        if reorders {
            for index in stride(from: 0, to: events.count - 1, by: 2) { events.swapAt(index, index + 1) }
        }
        if duplicates { events = events.flatMap { [$0, $0] } }
        var batch: [UInt8] = []
        for event in events {
            let frame = encoding.event(event, endpoint)
            if eventsUntilCut == 0 {
                try await exchange.send(batch + frame.prefix(frame.count / 2))
                exchange.connection.cut()
                throw ConnectionGone()
            }
            eventsUntilCut = eventsUntilCut.map { $0 - 1 }
            batch.append(contentsOf: frame)
            if batch.count >= Self.batchBytes {
                // Whole chunks: where one batch ends and the next begins is not to be seen.
                let whole = batch.count - batch.count % exchange.chunkBytes
                try await exchange.send(Array(batch[..<whole]))
                batch.removeFirst(whole)
            }
        }
        if !batch.isEmpty { try await exchange.send(batch) }
    }
}
