// The agent's log on standard error, one line an entry whatever the names of objects and files contain.

import Logging
import Telemetry

struct VisibleLogHandler: LogHandler {
    private var lines: StreamLogHandler
    private let level: LogLevel
    /// A logger's own level, which goes before that of the process.
    private var ownLevel: Logger.Level?

    init(label: String, level: LogLevel) {
        lines = StreamLogHandler.standardError(label: label)
        lines.logLevel = .trace
        self.level = level
    }

    var logLevel: Logger.Level {
        get { ownLevel ?? level.current }
        set { ownLevel = newValue }
    }

    var metadata: Logger.Metadata {
        get { lines.metadata }
        set { lines.metadata = newValue.visible }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { lines[metadataKey: key] }
        set { lines[metadataKey: key] = newValue?.visible }
    }

    func log(event: LogEvent) {
        var event = event
        event.message = "\(event.message.description.visible())"
        event.metadata = event.metadata?.visible
        lines.log(event: event)
    }
}

extension Logger.Metadata {
    fileprivate var visible: Logger.Metadata { mapValues(\.visible) }
}

extension Logger.MetadataValue {
    fileprivate var visible: Logger.MetadataValue { .string("\(self)".visible()) }
}
