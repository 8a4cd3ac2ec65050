// What a request asks, and what it is answered, without the framing: connections, lengths and keep-alive are for
// HTTPConnection.

package import NIOHTTP1

package struct HTTPRequest: Equatable, Sendable {
    package var method: HTTPMethod
    /// The request target up to the question mark, as it was sent: not percent-decoded.
    package var path: String
}

package struct HTTPAnswer: Hashable, Sendable {
    package var status: HTTPResponseStatus
    package var contentType: String
    /// In addition to Content-Type, Content-Length and Connection, which the server writes. Names in any case.
    package var headers: [HTTPHeader]
    /// Also given in answer to HEAD, where only its length is sent.
    package var body: String

    package struct HTTPHeader: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(
        status: HTTPResponseStatus, contentType: String = Self.plainText, headers: [HTTPHeader] = [], body: String
    ) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    package static let plainText = "text/plain; charset=utf-8"

    /// The status in words, for answers that have nothing else to say: `404 Not Found`.
    package static func plain(_ status: HTTPResponseStatus) -> HTTPAnswer {
        HTTPAnswer(status: status, body: "\(status.code) \(status.reasonPhrase)\n")
    }
}
