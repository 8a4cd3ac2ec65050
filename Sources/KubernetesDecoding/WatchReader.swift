// Cuts the body of a watch into events, however its chunks fall: one JSON object a line, or protobuf messages that each
// follow their length in four bytes, the highest first. Holds one frame at most.

package import ServiceModel

package struct WatchReader: Sendable {
    private let kind: FactKind
    private let encoding: AnswerEncoding
    private let limits: AnswerLimits
    private var frame: [UInt8] = []
    /// Protobuf: bytes of the present frame that are still to come; nil while its length is read.
    private var rest: Int?
    /// The present frame is too large, and passed over.
    private var isOversized = false

    package init(kind: FactKind, encoding: AnswerEncoding, limits: AnswerLimits = AnswerLimits()) {
        self.kind = kind
        self.encoding = encoding
        self.limits = limits
    }

    /// Between two frames: an end of the body here cuts nothing off.
    package var isBetweenFrames: Bool { frame.isEmpty && rest == nil && !isOversized }

    /// The events that are complete with these bytes.
    package mutating func read(_ bytes: [UInt8]) -> [WatchEvent] {
        switch encoding {
        case .json: readLines(bytes)
        case .protobuf: readMessages(bytes)
        }
    }

    private mutating func readLines(_ bytes: [UInt8]) -> [WatchEvent] {
        var events: [WatchEvent] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            take(rest[..<end])
            if let event = finishFrame() { events.append(event) }
            rest = rest[(end + 1)...]
        }
        take(rest)
        return events
    }

    private mutating func readMessages(_ bytes: [UInt8]) -> [WatchEvent] {
        var events: [WatchEvent] = []
        var position = bytes.startIndex
        while position < bytes.endIndex {
            guard let missing = rest else {
                frame.append(bytes[position])
                position += 1
                guard frame.count == 4 else { continue }
                rest = frame.reduce(0) { $0 << 8 | Int($1) }
                frame = []
                if rest == 0, let event = finishFrame() { events.append(event) }
                continue
            }
            let count = min(missing, bytes.endIndex - position)
            take(bytes[position..<position + count])
            position += count
            rest = missing - count
            if count == missing, let event = finishFrame() { events.append(event) }
        }
        return events
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>) {
        if isOversized || frame.count + bytes.count > limits.object {
            isOversized = isOversized || !bytes.isEmpty
            frame = []
        } else {
            frame += bytes
        }
    }

    /// Nil for an empty line between two JSON objects.
    private mutating func finishFrame() -> WatchEvent? {
        defer {
            frame = []
            rest = nil
            isOversized = false
        }
        if isOversized { return .unreadable("is larger than \(limits.object) bytes") }
        if encoding == .json, frame.allSatisfy({ $0 == 0x20 || $0 == 0x0d }) { return nil }
        return WatchEvent(frame: frame, kind: kind, encoding: encoding)
    }
}
