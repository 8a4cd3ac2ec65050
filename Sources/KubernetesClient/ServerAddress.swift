// The address of an API server, and of a proxy in front of it.

import Foundation
package import ServiceModel

package struct ServerAddress: Hashable, Sendable {
    /// A name, or an IP address without brackets.
    package var host: String
    package var port: Int
    /// What stands in front of every path, without a slash at its end: clusters behind Rancher and the like.
    package var prefix: String

    package init(host: String, port: Int, prefix: String = "") {
        self.host = host
        self.port = port
        self.prefix = prefix
    }

    /// `https://host[:port][/prefix]`, or `host[:port]`. Only https: without it nobody knows who answers, and the token
    /// is everybody's.
    package init(_ text: String) throws(FieldProblem) {
        let url = text.contains("://") ? text : "https://" + text
        guard let parts = URLComponents(string: url), let scheme = parts.scheme?.lowercased(),
            let host = parts.host, !host.isEmpty
        else {
            // It is not repeated: there may be a password in it.
            throw FieldProblem("", "is not a URL")
        }
        guard scheme == "https" else {
            throw FieldProblem("", "is not https but \(scheme); the server's certificate is always verified")
        }
        guard parts.user == nil, parts.password == nil, parts.query == nil, parts.fragment == nil else {
            throw FieldProblem("", "holds more than host, port and path")
        }
        let port = parts.port ?? 443
        guard (1...65535).contains(port) else { throw FieldProblem("", "\(port) is not a port (1…65535)") }
        var prefix = parts.percentEncodedPath
        while prefix.hasSuffix("/") { prefix.removeLast() }
        self.init(host: host.withoutBrackets, port: port, prefix: prefix)
    }

    /// The host as it stands in URLs and Host headers.
    func urlHost(_ name: String? = nil) -> String {
        let host = name ?? host
        return host.contains(":") ? "[\(host)]" : host
    }

    /// As Host headers and metrics name the server.
    var hostAndPort: String { "\(urlHost()):\(port)" }
}

extension ServerAddress: CustomStringConvertible {
    package var description: String { "https://\(urlHost()):\(port)\(prefix)" }
}

package struct ProxyAddress: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case http
        case socks5
    }

    package var kind: Kind
    package var host: String
    package var port: Int
    /// `user:password` for an HTTP proxy that asks for it.
    package var credentials: Secret?

    /// `http://[user:password@]host[:port]` or `socks5://host[:port]`.
    package init(_ text: String) throws(FieldProblem) {
        // The text may hold a password, and is not repeated.
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            let host = parts.host, !host.isEmpty
        else { throw FieldProblem("", "is not a URL") }
        guard let kind = Kind(rawValue: scheme) else {
            throw FieldProblem(
                "", "a proxy of the kind \(FieldValue.quoted(scheme)) is not supported, only http and socks5")
        }
        self.kind = kind
        self.host = host.withoutBrackets
        port = parts.port ?? (kind == .http ? 80 : 1080)
        guard (1...65535).contains(port) else { throw FieldProblem("", "\(port) is not a port (1…65535)") }
        guard let user = parts.user else { return }
        guard kind == .http else { throw FieldProblem("", "a socks5 proxy with a password is not supported") }
        credentials = Secret("\(user):\(parts.password ?? "")")
    }
}

extension String {
    fileprivate var withoutBrackets: String { hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : self }
}
