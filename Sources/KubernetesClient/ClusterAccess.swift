// Where an API server is and how to prove who one is: all that a client needs, whether it came from a kubeconfig file or
// from the pod that the agent runs in.

package struct ClusterAccess: Hashable, Sendable {
    /// Of a file that may change while the agent runs, or of the kubeconfig itself.
    package enum Material: Hashable, Sendable {
        case bytes([UInt8])
        case file(String)
    }

    package enum Token: Hashable, Sendable {
        case none
        case fixed(Secret)
        /// Read for every request, since it rotates.
        case file(String)
    }

    package struct Certificate: Hashable, Sendable {
        /// PEM, the client's own certificate first.
        package var chain: Material
        /// PEM.
        package var key: Material
    }

    /// At least one; the next is tried when one cannot be reached.
    package var servers: [ServerAddress]
    /// PEM certificates that sign those of the servers; nil: what the system trusts.
    package var authority: Material?
    /// The name that the servers' certificates must have, instead of that of their address.
    package var serverName: String?
    package var certificate: Certificate?
    package var token: Token = .none
    /// Goes before token and certificate.
    package var plugin: CredentialPlugin?
    package var proxy: ProxyAddress?

    package init(servers: [ServerAddress]) {
        self.servers = servers
    }
}

/// Text that must never be printed. It prints, and is reflected, as dots.
package struct Secret: Hashable, Sendable {
    let text: String

    package init(_ text: String) {
        self.text = text
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "•••" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
