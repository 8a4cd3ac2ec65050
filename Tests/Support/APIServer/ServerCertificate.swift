// Certificates made when they are needed, with Debian's openssl: an authority of one's own, a P-256 server certificate
// right under it as kubeadm makes them, and client certificates. Valid for ten days.

import Foundation

package struct ServerCertificate: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    package var certificate: String
    package var key: String
    /// Paths of PEM files, as the two above; clients verify with this one.
    package var authority: String
    /// The authority's key, for certificates of clients; empty when the server got its certificate from elsewhere.
    package var authorityKey: String

    package init(certificate: String, key: String, authority: String, authorityKey: String = "") {
        self.certificate = certificate
        self.key = key
        self.authority = authority
        self.authorityKey = authorityKey
    }

    /// Writes `ca.crt`, `ca.key`, `server.crt` and `server.key` into a folder that exists.
    package static func make(
        in folder: String, names: [String] = ["localhost"], addresses: [String] = ["127.0.0.1", "::1"]
    ) throws -> ServerCertificate {
        let authority = "\(folder)/ca.crt"
        let authorityKey = "\(folder)/ca.key"
        try openssl(
            newKey(authorityKey) + ["-x509", "-subj", "/CN=kubernetes", "-days", "10", "-out", authority]
                + extensions("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"))
        let alternatives = (names.map { "DNS:\($0)" } + addresses.map { "IP:\($0)" }).joined(separator: ",")
        let made = ServerCertificate(
            certificate: "\(folder)/server.crt", key: "\(folder)/server.key", authority: authority,
            authorityKey: authorityKey)
        try made.issue(
            subject: "/CN=kube-apiserver", certificate: made.certificate, key: made.key,
            extensions: ["subjectAltName=\(alternatives)", "extendedKeyUsage=serverAuth"])
        return made
    }

    /// A client certificate of the authority: `path.crt` and `path.key`.
    package func makeClient(name: String, organization: String = "system:masters", path: String) throws {
        try issue(
            subject: "/O=\(organization)/CN=\(name)", certificate: "\(path).crt", key: "\(path).key",
            extensions: ["extendedKeyUsage=clientAuth"])
    }

    private func issue(subject: String, certificate: String, key: String, extensions: [String]) throws {
        try Self.openssl(
            Self.newKey(key) + ["-x509", "-CA", authority, "-CAkey", authorityKey, "-subj", subject, "-days", "10"]
                + ["-out", certificate]
                + extensions.flatMap { ["-addext", $0] }
                + ["-addext", "basicConstraints=critical,CA:FALSE"])
    }

    private static func newKey(_ path: String) -> [String] {
        ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256", "-keyout", path]
    }

    private static func extensions(_ values: String...) -> [String] {
        values.flatMap { ["-addext", $0] }
    }

    private static func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        do { try process.run() } catch { throw Failure(description: "openssl cannot be run: \(error)") }
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: "openssl failed: \(text)") }
    }
}
