// A kubeconfig file: the cluster and the user of one of its contexts. What cannot be honoured is refused and named, never
// passed over: a client that does less than its file says is a surprise.

import Foundation
package import ServiceModel

package enum Kubeconfig {
    /// The access that a context gives.
    ///
    /// - Parameters:
    ///   - context: nil: the file's current-context.
    ///   - folder: of the file; relative paths in it begin there.
    ///   - allowsPlugins: whether the file may name a program that is run for credentials.
    /// - Throws: the field that is missing, wrong, or not supported.
    package static func access(
        from document: FieldValue, context name: String? = nil, folder: String, allowsPlugins: Bool = false
    ) throws(FieldProblem) -> ClusterAccess {
        guard case .object = document else { throw document.mismatch("", wanted: .object) }
        if let kind = try document.string("kind"), kind != "Config" {
            throw FieldProblem("kind", "\(FieldValue.quoted(kind)) is not Config")
        }
        let current = try document.string("current-context")
        let contextName = name ?? current ?? ""
        guard !contextName.isEmpty else { throw FieldProblem("current-context", "is missing, and no context is given") }
        let context = try entry(contextName, "contexts", "context", in: document)
        guard let clusterName = try context.value.string("cluster") else {
            throw FieldProblem("\(context.path).cluster", "is missing")
        }
        let cluster = try entry(clusterName, "clusters", "cluster", in: document)
        var access: ClusterAccess
        do throws(FieldProblem) {
            access = try self.cluster(cluster.value, folder: folder)
        } catch {
            throw error.under(cluster.path)
        }
        guard let userName = try context.value.string("user"), !userName.isEmpty else { return access }
        let user = try entry(userName, "users", "user", in: document)
        do throws(FieldProblem) {
            try read(user: user.value, into: &access, folder: folder, allowsPlugins: allowsPlugins)
        } catch {
            throw error.under(user.path)
        }
        return access
    }

    /// The member `key` of the entry of this name in one of the three lists.
    private static func entry(
        _ name: String, _ list: String, _ key: String, in document: FieldValue
    ) throws(FieldProblem) -> (path: String, value: FieldValue) {
        for (index, entry) in try document.array(list).enumerated() {
            do throws(FieldProblem) {
                guard case .object = entry else { throw entry.mismatch("", wanted: .object) }
                guard try entry.string("name") == name else { continue }
                guard let value = try entry.object(key) else { throw FieldProblem(key, "is missing") }
                return ("\(list)[\(index)].\(key)", value)
            } catch {
                throw error.under("\(list)[\(index)]")
            }
        }
        throw FieldProblem(list, "has no entry with the name \(FieldValue.quoted(name))")
    }

    private static func cluster(_ fields: FieldValue, folder: String) throws(FieldProblem) -> ClusterAccess {
        guard let server = try fields.string("server"), !server.isEmpty else {
            throw FieldProblem("server", "is missing")
        }
        if try fields.bool("insecure-skip-tls-verify") == true {
            throw FieldProblem(
                "insecure-skip-tls-verify",
                "is refused: the server's certificate is always verified; give certificate-authority(-data), or tls-server-name where the certificate has another name"
            )
        }
        var access = ClusterAccess(servers: [
            try under("server") { () throws(FieldProblem) in try ServerAddress(server) }
        ])
        access.authority = try material("certificate-authority", in: fields, folder: folder)
        access.serverName = try nonEmpty("tls-server-name", in: fields)
        if let proxy = try nonEmpty("proxy-url", in: fields) {
            access.proxy = try under("proxy-url") { () throws(FieldProblem) in try ProxyAddress(proxy) }
        }
        return access
    }

    private static func read(
        user: FieldValue, into access: inout ClusterAccess, folder: String, allowsPlugins: Bool
    ) throws(FieldProblem) {
        for (field, reason) in refused where user[field] != nil {
            throw FieldProblem(field, reason)
        }
        let chain = try material("client-certificate", in: user, folder: folder)
        let key = try material("client-key", in: user, folder: folder)
        switch (chain, key) {
        case (nil, nil): break
        case (let chain?, let key?): access.certificate = ClusterAccess.Certificate(chain: chain, key: key)
        case (nil, _?): throw FieldProblem("client-certificate", "is missing, though there is a client-key")
        case (_?, nil): throw FieldProblem("client-key", "is missing, though there is a client-certificate")
        }
        // As in Kubernetes' own clients, the file goes first: it is the one that is kept fresh.
        if let file = try nonEmpty("tokenFile", in: user) {
            access.token = .file(path(file, in: folder))
        } else if let token = try secret("token", in: user) {
            access.token = .fixed(Secret(token))
        }
        guard user["exec"] != nil else { return }
        guard allowsPlugins else {
            throw FieldProblem(
                "exec",
                "is refused: it is a program to be run; --allow-credential-plugins allows it, and a token, a tokenFile or a client certificate needs none"
            )
        }
        access.plugin = try user.mapObject("exec") { (fields) throws(FieldProblem) in
            try CredentialPlugin(fields, folder: folder)
        }
    }

    private static let refused = [
        ("auth-provider", "is refused: it is no longer part of Kubernetes; use a token or a client certificate"),
        ("username", "is refused: API servers know no passwords any more; use a token or a client certificate"),
        ("password", "is refused: API servers know no passwords any more; use a token or a client certificate"),
        ("as", "is refused: Martlet acts for nobody but itself"),
        ("as-uid", "is refused: Martlet acts for nobody but itself"),
        ("as-groups", "is refused: Martlet acts for nobody but itself"),
        ("as-user-extra", "is refused: Martlet acts for nobody but itself"),
    ]

    /// `KEY-data`, in base64, goes before the file that `KEY` names.
    private static func material(
        _ key: String, in fields: FieldValue, folder: String
    ) throws(FieldProblem) -> ClusterAccess.Material? {
        if let text = try secret("\(key)-data", in: fields) {
            guard let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters), !data.isEmpty else {
                throw FieldProblem("\(key)-data", "is not base64")
            }
            return .bytes([UInt8](data))
        }
        return try nonEmpty(key, in: fields).map { .file(path($0, in: folder)) }
    }

    /// As `nonEmpty`, for what must not be repeated in a message.
    private static func secret(_ key: String, in fields: FieldValue) throws(FieldProblem) -> String? {
        guard let value = fields[key] else { return nil }
        guard case .string(let text) = value else { throw FieldProblem(key, "is not a string: put it in quotes") }
        return text.isEmpty ? nil : text
    }

    private static func nonEmpty(_ key: String, in fields: FieldValue) throws(FieldProblem) -> String? {
        let text = try fields.string(key)
        return text?.isEmpty == true ? nil : text
    }

    private static func path(_ text: String, in folder: String) -> String {
        text.hasPrefix("/") ? text : "\(folder)/\(text)"
    }

    private static func under<Result>(
        _ key: String, _ body: () throws(FieldProblem) -> Result
    ) throws(FieldProblem) -> Result {
        do throws(FieldProblem) {
            return try body()
        } catch {
            throw error.under(key)
        }
    }
}
