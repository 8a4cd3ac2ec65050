// The two forms that Kubernetes gives to names, after RFC 1123. Letters are lower case; a name begins and ends with a
// letter or digit. How long it may be is another question (ObjectMetadata).

enum NameForm {
    /// Of Services and namespaces (INV-9: a digit may come first).
    case label
    /// Of most other kinds: labels with dots between them.
    case subdomain

    func admits(_ name: String) -> Bool {
        switch self {
        case .label: Self.isLabel(name.utf8[...])
        case .subdomain:
            name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy(Self.isLabel)
        }
    }

    func complaint(about name: String) -> FieldProblem {
        let dot =
            switch self {
            case .label: "and '-'"
            case .subdomain: "'-' and '.'"
            }
        return FieldProblem(
            "", "\(FieldValue.quoted(name)) is no name in Kubernetes (lower-case letters, digits, \(dot)); it is used")
    }

    private static func isLabel(_ text: Substring.UTF8View) -> Bool {
        guard let first = text.first, let last = text.last, isAlphanumeric(first), isAlphanumeric(last) else {
            return false
        }
        return text.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}

extension FactKind {
    var nameForm: NameForm {
        switch self {
        case .service: .label
        case .endpointSlice, .node, .serviceCIDR: .subdomain
        }
    }
}
