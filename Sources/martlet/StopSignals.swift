// SIGINT and SIGTERM as a question that a blocking loop can ask, so that it ends in good order.

import Dispatch
import Glibc
import Synchronization

/// While a value lives, the two signals no longer end the process; they are remembered instead.
struct StopSignals: ~Copyable {
    private final class Flag: Sendable {
        let isSet = Mutex(false)
    }

    private let flag = Flag()
    private let sources: [any DispatchSourceSignal]

    init() {
        let queue = DispatchQueue(label: "dev.martlet.signals")
        sources = [SIGINT, SIGTERM].map { [flag] number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { flag.isSet.withLock { $0 = true } }
            source.activate()
            return source
        }
    }

    deinit {
        for source in sources { source.cancel() }
    }

    /// Whether one of the signals has arrived.
    var isRequested: Bool { flag.isSet.withLock { $0 } }
}
