// A command line of kube-proxy's, read: so that what starts kube-proxy today can start Martlet instead. What the flags say
// becomes the document that a configuration file would be, and is decoded and checked as one.

package import ServiceModel

package struct KubeProxyFlags: Sendable {
    /// A KubeProxyConfiguration; nil when no flag stands for a field of it.
    package private(set) var document: FieldValue?
    /// The flags that made it, as they were written.
    package private(set) var fieldFlags: [String] = []
    package private(set) var nodeName: String?
    /// kube-proxy's `-v`: 0 and up.
    package private(set) var verbosity: Int?
    /// Zero: no server; nil: nothing is said.
    package private(set) var healthPort: UInt16?
    package private(set) var metricsPort: UInt16?
    /// What is to be done instead of running; of several, kube-proxy does the first of these: write, clean up, set up.
    package private(set) var action: KubeProxyAction?
    package private(set) var notices: [ConfigurationNotice] = []

    /// Reads `--name=value`, `--name value`, and `--name` alone for flags that are on or off; `-v` likewise. A flag that is
    /// there twice counts the last time; lists grow, and feature gates are set one by one, as in kube-proxy.
    ///
    /// - Throws: for a word that is no flag of kube-proxy's, a value that the flag cannot have, and a refused flag.
    package init(_ words: [String]) throws(FlagError) {
        var rest = words[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word != "-", word != "--" else { throw FlagError(word, "is not a flag") }
            let parts = word.drop { $0 == "-" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let flag = KubeProxyFlag.named(String(parts[0])) else {
                throw FlagError(word, "is neither an option of martlet's nor a flag of kube-proxy's")
            }
            var value = parts.count > 1 ? String(parts[1]) : nil
            if value == nil, flag.form != .flag {
                guard let next = rest.popFirst() else { throw FlagError(word, "needs a value") }
                value = next
            }
            try take(flag, value ?? "true", word)
        }
    }

    private mutating func take(_ flag: KubeProxyFlag, _ value: String, _ word: String) throws(FlagError) {
        switch flag.meaning {
        case .fields(let paths, let form):
            let field = try Self.field(value, form, flag)
            var members = FieldTree(document ?? Self.header)
            for path in paths {
                let steps = path.split(separator: ".").map(String.init)[...]
                members.set(steps, Self.joined(members.value(at: steps), field, form))
            }
            document = members.value
            fieldFlags.append("--" + flag.name)
        case .nodeName:
            guard value.contains(where: { !$0.isWhitespace }) else { throw FlagError("--" + flag.name, "is blank") }
            nodeName = value
        case .verbosity:
            guard let level = Int(value), level >= 0 else { throw FlagError("-v", "'\(value)' is not a level") }
            verbosity = level
        case .healthPort: healthPort = try Self.port(value, flag)
        case .metricsPort: metricsPort = try Self.port(value, flag)
        case .action(let kind): try take(kind, value, flag)
        case .ignored(let reason, let form):
            _ = try Self.field(value, form, flag)
            notices.append(ConfigurationNotice(.notUsed, "--" + flag.name, "is accepted without effect: \(reason)"))
        case .refused(let reason): throw FlagError("--" + flag.name, "is not accepted: \(reason)")
        }
    }

    /// What a flag comes to that is there once more.
    private static func joined(_ old: FieldValue?, _ new: FieldValue, _ form: KubeProxyFlag.Form) -> FieldValue {
        switch (form, old, new) {
        case (.list, .array(let old), .array(let new)): .array(old + new)
        case (.gates, .object(let old), .object(let new)): .object(old.merging(new) { $1 })
        case (.text, _, _), (.flag, _, _), (.integer, _, _), (.number, _, _), (.list, _, _), (.gates, _, _): new
        }
    }

    private mutating func take(
        _ kind: KubeProxyAction.Kind, _ value: String, _ flag: KubeProxyFlag
    ) throws(FlagError) {
        switch kind {
        case .writeConfiguration:
            guard !value.isEmpty else { throw FlagError("--" + flag.name, "is empty; it must name a file") }
            action = .writeConfiguration(to: value)
        case .cleanUp:
            guard try Self.truth(value, flag) else { return }
            if action == nil || action == .initOnly { action = .cleanUp }
        case .initOnly:
            guard try Self.truth(value, flag) else { return }
            if action == nil { action = .initOnly }
        }
    }

    private static let header = FieldValue.object([
        "apiVersion": .string(KubeProxyFields.apiVersion), "kind": .string(KubeProxyFields.kind),
    ])

    private static func port(_ text: String, _ flag: KubeProxyFlag) throws(FlagError) -> UInt16 {
        guard let port = UInt16(text) else { throw FlagError("--" + flag.name, "'\(text)' is not a port (0…65535)") }
        return port
    }

    private static func field(
        _ text: String, _ form: KubeProxyFlag.Form, _ flag: KubeProxyFlag
    ) throws(FlagError) -> FieldValue {
        switch form {
        case .text: return .string(text)
        case .list: return .array(text.split(separator: ",").map { .string(String($0)) })
        case .flag: return .bool(try truth(text, flag))
        case .integer:
            guard let number = Int64(text) else { throw FlagError("--" + flag.name, "'\(text)' is not a number") }
            return .integer(number)
        case .number:
            guard let number = Double(text), number.isFinite else {
                throw FlagError("--" + flag.name, "'\(text)' is not a number")
            }
            return .number(number)
        case .gates:
            var gates: [String: FieldValue] = [:]
            for gate in text.split(separator: ",") {
                let parts = gate.split(separator: "=", maxSplits: 1)
                guard parts.count == 2 else {
                    throw FlagError("--" + flag.name, "'\(gate)' is not name=true or =false")
                }
                gates[String(parts[0])] = .bool(try truth(String(parts[1]), flag))
            }
            return .object(gates)
        }
    }

    /// What Go's flags take for on and off.
    private static func truth(_ text: String, _ flag: KubeProxyFlag) throws(FlagError) -> Bool {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: throw FlagError("--" + flag.name, "'\(text)' is neither true nor false")
        }
    }
}

/// A flag that cannot be used.
package struct FlagError: Error, Hashable, Sendable, CustomStringConvertible {
    package var flag: String
    package var message: String

    init(_ flag: String, _ message: String) {
        self.flag = flag
        self.message = message
    }

    package var description: String { "\(flag) \(message)." }
}

extension KubeProxyFlag {
    fileprivate var form: Form {
        switch meaning {
        case .fields(_, let form), .ignored(_, let form): form
        case .action(.writeConfiguration): .text
        case .action: .flag
        case .nodeName, .verbosity, .healthPort, .metricsPort: .text
        // Nothing follows that could be its value.
        case .refused: .flag
        }
    }
}
