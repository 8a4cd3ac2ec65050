// A Status of the API: why a request failed, or what ended a watch.

import KubernetesMessages
import ServiceModel
import SwiftProtobuf

package struct APIStatus: Hashable, Sendable {
    /// As an HTTP status code.
    package var code: Int
    /// One word, such as Expired; may be empty.
    package var reason: String
    /// A sentence of the server's.
    package var message: String
    package var retryAfter: Duration?

    /// What is longer than people read is cut off: it goes into logs, the state file and answers of our own.
    package init(code: Int, reason: String = "", message: String = "", retryAfter: Duration? = nil) {
        self.code = code
        self.reason = Self.cut(reason, to: 100)
        self.message = Self.cut(message, to: 1000)
        self.retryAfter = retryAfter
    }

    private static func cut(_ text: String, to limit: Int) -> String {
        let head = text.prefix(limit)
        return head.endIndex == text.endIndex ? text : head + "…"
    }

    /// The body of a failed request. Bodies that are no Status (a proxy's page, the text of a 429) still have a code, and
    /// text as their message.
    package init(body: [UInt8], contentType: String, code: Int) {
        let status: APIStatus? =
            switch AnswerEncoding(contentType: contentType) {
            case .json: (try? JSONText.parse(body))?.first.flatMap { APIStatus(fields: $0.value) }
            case .protobuf: (try? Envelope(body)).flatMap { try? APIStatus(message: $0.raw) }
            case nil: contentType.hasPrefix("text/plain") ? APIStatus(code: code, text: body) : nil
            }
        self = status ?? APIStatus(code: code)
        self.code = code
    }

    private init(code: Int, text: [UInt8]) {
        let line = text.prefix(200).prefix { $0 != UInt8(ascii: "\n") }
        self.init(code: code, message: String(decoding: line, as: UTF8.self))
    }

    init?(fields: FieldValue) {
        guard fields.text("kind") == "Status" else { return nil }
        self.init(
            code: fields.number("code") ?? 0, reason: fields.text("reason") ?? "",
            message: fields.text("message") ?? "",
            retryAfter: fields["details"]?.number("retryAfterSeconds").flatMap(Self.pause))
    }

    init(message bytes: [UInt8]) throws {
        let status = try WireStatus(serializedBytes: bytes, options: .lean)
        self.init(
            code: Int(status.code), reason: status.reason, message: status.message,
            retryAfter: Self.pause(Int(status.details.retryAfterSeconds)))
    }

    private static func pause(_ seconds: Int) -> Duration? {
        (1...3600).contains(seconds) ? .seconds(seconds) : nil
    }
}

extension APIStatus: CustomStringConvertible {
    /// `410 Expired: too old resource version: 1 (2)`.
    package var description: String {
        var text = "\(code)"
        if !reason.isEmpty { text += " \(reason)" }
        if !message.isEmpty { text += ": \(message)" }
        return text
    }
}
