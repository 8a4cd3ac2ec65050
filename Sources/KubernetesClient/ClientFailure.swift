// Why there is no answer, in words for logs. Never holds what was sent.

package enum ClientFailure: Hashable, Sendable, Error {
    /// Nobody could be reached, or the connection broke.
    case connection(server: String, reason: String)
    /// Nothing came for too long on a connection that stands.
    case stalled(server: String)
    /// Something that the access names cannot be used: a file of it, or what is in the file.
    case access(String)
    /// The task was cancelled.
    case cancelled
}

extension ClientFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .connection(let server, let reason): "\(server): \(reason)"
        case .stalled(let server): "\(server): nothing came for too long"
        case .access(let reason): reason
        case .cancelled: "cancelled"
        }
    }
}
