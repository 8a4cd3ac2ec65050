// What has come for the agent since it last looked: of each sort the newest alone, however much comes and however slow
// the agent is. A bell rings when there is something.

import ManifestSource
import Synchronization

final class AgentInbox: Sendable {
    struct Content: Sendable {
        /// The source may have something.
        var hasNews = false
        var addresses: NodeAddressMonitor.News?
        var devices: DeviceMonitor.News?
        var configuration: FileWatcher.News?
        /// Time-driven work is to be looked after.
        var isTickDue = false
    }

    private let content = Mutex(Content())
    /// Ends with `close()`. For one reader.
    let bell: AsyncStream<Void>
    private let rope: AsyncStream<Void>.Continuation

    init() {
        (bell, rope) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func put(_ change: (inout Content) -> Void) {
        content.withLock { change(&$0) }
        rope.yield()
    }

    /// Has the reader look again, whether there is something or not.
    func ring() { rope.yield() }

    func take() -> Content {
        content.withLock { content in
            defer { content = Content() }
            return content
        }
    }

    func close() { rope.finish() }
}
