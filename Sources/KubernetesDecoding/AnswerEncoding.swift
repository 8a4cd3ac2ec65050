// The two encodings in which the API answers, told apart by the Content-Type of each answer.

package enum AnswerEncoding: String, Hashable, Sendable {
    case protobuf = "application/vnd.kubernetes.protobuf"
    case json = "application/json"

    /// Nil for anything else, such as the text/plain of a 429. Parameters (`;stream=watch`) do not matter.
    package init?(contentType: String) {
        let type = contentType.prefix { $0 != ";" }.filter { !$0.isWhitespace }.lowercased()
        self.init(rawValue: type)
    }
}

/// What an answer may hold before it is given up on, in bytes.
package struct AnswerLimits: Hashable, Sendable {
    /// One object, or one frame of a watch. The API server takes objects of 3 MiB at most.
    package var object = 8 << 20
    /// A Status, the metadata of a list.
    package var head = 1 << 20

    package init() {}
}

/// The answer is not what the API promises; nothing after the place can be understood.
package struct UnreadableAnswer: Hashable, Sendable, Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
