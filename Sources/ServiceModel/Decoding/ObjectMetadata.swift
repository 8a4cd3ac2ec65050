// metadata of any object: who it is, its labels and annotations. Which labels matter is up to each kind.

struct ObjectMetadata {
    var identity: ObjectIdentity
    var creationTime: Int64?
    private var metadata: FieldValue
    private(set) var problems: [FieldProblem]

    /// Throws when there is no usable name: the identity is then unknown.
    init(of object: FieldValue, kind: FactKind) throws(FieldProblem) {
        guard let metadata = try object.object("metadata") else {
            throw FieldProblem("metadata.name", "is missing")
        }
        self.metadata = metadata
        self.problems = []
        do throws(FieldProblem) {
            self.identity = ObjectIdentity(kind: kind, name: try Self.name(in: metadata, kind: kind))
        } catch {
            throw error.under("metadata")
        }
    }

    /// Checks what does not make the object unknown, but unusable; call before anything else is read.
    mutating func readDetails(nameLimit: Int) throws(FieldProblem) {
        do throws(FieldProblem) {
            try Self.check(identity.name.name, "name", limit: nameLimit)
            if identity.kind.isNamespaced { try Self.check(identity.name.namespace, "namespace", limit: 63) }
            noteOddNames()
            if let text = try metadata.string("creationTimestamp") {
                creationTime = Timestamp.secondsSince1970(text)
                if creationTime == nil {
                    problems.append(
                        FieldProblem(
                            "metadata.creationTimestamp",
                            "\(FieldValue.quoted(text)) is not an RFC 3339 time; it is ignored"))
                }
            }
        } catch {
            throw error.under("metadata")
        }
    }

    /// Names that the API server would not take, and that do no harm here: they are used, and reported.
    private mutating func noteOddNames() {
        let form = identity.kind.nameForm
        if !form.admits(identity.name.name) {
            problems.append(form.complaint(about: identity.name.name).under("metadata.name"))
        }
        guard identity.kind.isNamespaced, !NameForm.label.admits(identity.name.namespace) else { return }
        problems.append(NameForm.label.complaint(about: identity.name.namespace).under("metadata.namespace"))
    }

    var isBeingDeleted: Bool { metadata["deletionTimestamp"] != nil }

    /// Whether the label is there, whatever its value.
    func hasLabel(_ key: String) throws(FieldProblem) -> Bool { try value("labels", key) != nil }

    func label(_ key: String) throws(FieldProblem) -> String? { try text("labels", key) }

    func annotation(_ key: String) throws(FieldProblem) -> String? { try text("annotations", key) }

    private func text(_ map: String, _ key: String) throws(FieldProblem) -> String? {
        guard let value = try value(map, key) else { return nil }
        guard case .string(let text) = value else { throw value.mismatch("metadata.\(map)[\(key)]", wanted: .string) }
        return text
    }

    /// Null counts as present: the API turns it into the empty string.
    private func value(_ map: String, _ key: String) throws(FieldProblem) -> FieldValue? {
        do throws(FieldProblem) {
            guard case .object(let entries) = try metadata.object(map), let value = entries[key] else { return nil }
            return value == .null ? .string("") : value
        } catch {
            throw error.under("metadata")
        }
    }

    private static func name(in metadata: FieldValue, kind: FactKind) throws(FieldProblem) -> ObjectName {
        guard let name = try metadata.string("name"), !name.isEmpty else { throw FieldProblem("name", "is missing") }
        guard kind.isNamespaced else { return ObjectName(namespace: "", name: name) }
        let namespace = try metadata.string("namespace") ?? ""
        return ObjectName(namespace: namespace.isEmpty ? "default" : namespace, name: name)
    }

    /// Kubernetes' alphabet for names, upper case and underscore tolerated (NameForm reports them): what matters is that a
    /// name cannot be mistaken for several, for a path, or for part of a message.
    static func check(_ name: String, _ field: String, limit: Int) throws(FieldProblem) {
        guard name.utf8.count <= limit else {
            throw FieldProblem(field, "\(FieldValue.quoted(name)) is longer than \(limit) bytes")
        }
        let isSound = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "."), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isSound else {
            throw FieldProblem(
                field, "\(FieldValue.quoted(name)) is not a name: use lower-case letters, digits, '-' and '.'")
        }
    }
}
