// How much a client may take from the server. Clients of these servers are scrapers and probes: small requests, a
// handful of connections.

package struct HTTPLimits: Hashable, Sendable {
    /// Connections served at once. More wait in the kernel's queue until one ends.
    package var connections = 64
    /// How long a client may take to complete a request, the server to find the answer, and the client to take it: each
    /// of the three. It is also how long a connection may idle between requests.
    package var step: Duration = .seconds(10)
    /// Request target, header names and header values together; more is answered 431.
    package var headerBytes = 8192
    /// Nothing reads request bodies; more is answered 413.
    package var bodyBytes = 16384
    /// Requests on one connection that are not answered yet; more is answered 429.
    package var pipelinedRequests = 64
    /// How long a refused client's further bytes are read and thrown away, so that the refusal reaches it: closing a
    /// socket with unread bytes resets the connection (RFC 9112 section 9.6).
    package var lingering: Duration = .seconds(1)

    package init() {}
}
