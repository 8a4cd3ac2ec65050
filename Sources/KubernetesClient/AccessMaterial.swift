// The certificates of an access as they are in their files now. They are read for every request, which is rare: files
// rotate, and a client built from old ones must not go on being used.

internal import NIOSSL
import SystemCalls

struct AccessMaterial: Equatable, Sendable {
    private var authority: [UInt8]?
    private var chain: [UInt8]?
    private var key: [UInt8]?
    /// Where the name that certificates must have leads, if there is one.
    private(set) var nameOverride: [String: String] = [:]

    /// - Parameter certificate: the client's, wherever it comes from.
    init(
        _ access: ClusterAccess, certificate: ClusterAccess.Certificate?, server: ServerAddress
    ) throws(ClientFailure) {
        authority = try access.authority.map { (material) throws(ClientFailure) in
            try Self.bytes(of: material, "the certificate authority")
        }
        chain = try certificate.map { (certificate) throws(ClientFailure) in
            try Self.bytes(of: certificate.chain, "the client certificate")
        }
        key = try certificate.map { (certificate) throws(ClientFailure) in
            try Self.bytes(of: certificate.key, "the client key")
        }
        if let name = access.serverName { nameOverride[name] = server.host }
    }

    /// Verification of the server is always on.
    func configuration() throws(ClientFailure) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .fullVerification
        do {
            if let authority {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authority))
            }
        } catch {
            throw .access("the certificate authority cannot be used: \(error)")
        }
        do {
            if let chain {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(chain).map { .certificate($0) }
            }
            if let key { configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem)) }
        } catch {
            throw .access("the client certificate or its key cannot be used: \(error)")
        }
        return configuration
    }

    static func bytes(
        of material: ClusterAccess.Material, _ what: String
    ) throws(ClientFailure) -> [UInt8] {
        switch material {
        case .bytes(let bytes): return bytes
        case .file(let path):
            do throws(SystemError) {
                return try WholeFile.bytes(of: path)
            } catch {
                throw .access("\(what) in \(path) cannot be read: \(error.reason)")
            }
        }
    }
}

extension ClusterAccess.Token {
    /// The value of the Authorization header; nil without a token.
    func authorization() throws(ClientFailure) -> String? {
        let text: String
        switch self {
        case .none: return nil
        case .fixed(let secret): text = secret.text
        case .file(let path):
            do throws(SystemError) {
                text = String(decoding: try WholeFile.bytes(of: path), as: UTF8.self)
            } catch {
                throw .access("the token in \(path) cannot be read: \(error.reason)")
            }
        }
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f || $0 == 0x0a || $0 == 0x0d || $0 == 0x20 }
        let token = text.filter { !$0.isWhitespace }
        guard isPlain, !token.isEmpty else { throw .access("the token is empty or no plain text") }
        return "Bearer \(token)"
    }
}
