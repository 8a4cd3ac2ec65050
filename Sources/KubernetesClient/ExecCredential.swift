// What a credential plugin answers: a token, a client certificate with its key, or both, and until when they are good.

import Foundation
import ServiceModel

struct ExecCredential: Hashable, Sendable {
    var token: Secret?
    /// PEM.
    var certificate: ClusterAccess.Certificate?
    /// Seconds since 1970; nil: until the server refuses it.
    var expires: Int64?

    /// Plugins' answers are short; more than this is none.
    static let longestAnswer = 1 << 20

    init(_ answer: [UInt8], apiVersion: String) throws(FieldProblem) {
        let documents: [(line: Int, value: FieldValue)]
        do throws(TextProblem) {
            documents = try JSONText.parse(answer)
        } catch {
            // The text may hold a token: what is wrong with it is not repeated.
            throw FieldProblem("", "is not JSON")
        }
        guard let document = documents.first?.value, documents.count == 1 else {
            throw FieldProblem("", "is not one object")
        }
        guard try document.string("kind") == "ExecCredential" else {
            throw FieldProblem("kind", "is not ExecCredential")
        }
        guard try document.string("apiVersion") == apiVersion else {
            throw FieldProblem("apiVersion", "is not \(apiVersion)")
        }
        guard let status = document["status"] else { throw FieldProblem("status", "is missing") }
        do throws(FieldProblem) {
            try read(status)
        } catch {
            throw error.under("status")
        }
    }

    private mutating func read(_ status: FieldValue) throws(FieldProblem) {
        token = try Self.secret("token", in: status).map(Secret.init)
        let chain = try Self.secret("clientCertificateData", in: status)
        let key = try Self.secret("clientKeyData", in: status)
        switch (chain, key) {
        case (nil, nil): break
        case (let chain?, let key?):
            certificate = ClusterAccess.Certificate(chain: .bytes(Array(chain.utf8)), key: .bytes(Array(key.utf8)))
        case (nil, _?): throw FieldProblem("clientCertificateData", "is missing, though there is clientKeyData")
        case (_?, nil): throw FieldProblem("clientKeyData", "is missing, though there is clientCertificateData")
        }
        guard token != nil || certificate != nil else { throw FieldProblem("token", "is missing") }
        guard let text = try status.string("expirationTimestamp") else { return }
        guard let time = Timestamp.secondsSince1970(text) else {
            throw FieldProblem("expirationTimestamp", "\(FieldValue.quoted(text)) is not a time (RFC 3339)")
        }
        expires = time
    }

    private static func secret(_ key: String, in fields: FieldValue) throws(FieldProblem) -> String? {
        guard let value = fields[key] else { return nil }
        guard case .string(let text) = value else { throw FieldProblem(key, "is not a string") }
        return text.isEmpty ? nil : text
    }

    /// Asked for anew a little before the end, so that no request meets it.
    func isGood(at seconds: Int64) -> Bool { expires.map { seconds < $0 - 10 } ?? true }
}
