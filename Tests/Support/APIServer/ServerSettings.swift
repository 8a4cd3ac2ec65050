// How an API server stand-in is set up.

package import APIServerState

package struct ServerSettings: Sendable {
    package enum Address: Sendable, Equatable {
        /// Port 0 is a free one; `APIServer.port` then says which.
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    package enum Security: Sendable {
        /// HTTP/1.1 without TLS.
        case none
        /// HTTP/2 and HTTP/1.1 over TLS, chosen by ALPN. With `http2` false, HTTP/1.1 alone.
        case tls(ServerCertificate, http2: Bool = true)
    }

    package var address = Address.tcp(host: "127.0.0.1", port: 0)
    package var security = Security.none
    /// Where the control commands of `ControlCommands` are served, if anywhere.
    package var control: Address?
    package var store = ObjectStore.Settings()
    /// Who each bearer token is. Empty for a server that asks nobody.
    package var users: [String: User] = [:]
    package var bookmarkInterval = Duration.seconds(60)
    /// How long the server waits for a resourceVersion that it has not seen yet.
    package var futureWait = Duration.seconds(3)
    /// An HTTP/1.1 body that is longer is chunked, in chunks of this size; HTTP/2 has the same in frames.
    package var chunkBytes = 2048
    /// Larger request bodies are refused.
    package var bodyLimit = 3 << 20

    package init() {}
}

package struct User: Sendable {
    package enum Role: Sendable {
        case administrator
        /// What the ClusterRole system:node-proxier allows.
        case nodeProxier
        /// Known, and allowed nothing.
        case nobody
    }

    package var name: String
    package var role: Role

    package init(name: String, role: Role) {
        self.name = name
        self.role = role
    }

    package func may(_ verb: Verb, _ endpoint: Endpoint) -> Bool {
        switch role {
        case .administrator: return true
        case .nobody: return false
        case .nodeProxier:
            switch endpoint.resource {
            case .services, .endpointSlices, .serviceCIDRs: return verb == .list || verb == .watch
            case .nodes: return verb == .get || verb == .list || verb == .watch
            case .events: return verb == .create || verb == .patch || verb == .update
            case .namespaces: return false
            }
        }
    }
}

package enum Verb: String, CaseIterable, Sendable {
    case get, list, watch, create, update, patch, delete
}
