// Whether the server listens: it can go away and come back, and tests wait for either.

actor Availability {
    private var isWanted = true
    private var listener: Listener?
    private var waiters: [AsyncStream<Void>.Continuation] = []

    func listening(_ listener: Listener) {
        self.listener = listener
        wakeAll()
    }

    func goAway() async {
        isWanted = false
        await listener?.close()
        listener = nil
    }

    func comeBack() {
        isWanted = true
        wakeAll()
    }

    /// Returns when somebody wants the server to listen.
    func waitUntilWanted() async throws {
        listener = nil
        while !isWanted { try await wait() }
        try Task.checkCancellation()
    }

    func waitUntilListening() async throws {
        while listener == nil { try await wait() }
    }

    private func wait() async throws {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self)
        waiters.append(continuation)
        for await _ in stream { break }
        try Task.checkCancellation()
    }

    private func wakeAll() {
        for waiter in waiters { waiter.yield() }
        waiters = []
    }
}
