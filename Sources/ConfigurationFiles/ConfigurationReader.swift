// Reads fields of a configuration and collects what is wrong, so that the author of the file learns everything at once.

import NetworkTypes
import ServiceModel

struct ConfigurationReader {
    private let root: FieldValue
    private(set) var problems: [FieldProblem] = []
    private(set) var notices: [ConfigurationNotice] = []

    init(_ root: FieldValue) {
        self.root = root
    }

    var error: ConfigurationError {
        let ordered = problems.sorted { $0.field < $1.field }
        return ConfigurationError(problems: ordered.map { .init(field: $0.field, message: $0.message) })
    }

    mutating func fail(_ field: String, _ message: String) {
        problems.append(FieldProblem(field, message))
    }

    mutating func note(_ kind: ConfigurationNotice.Kind, _ field: String, _ message: String) {
        notices.append(ConfigurationNotice(kind, field, message))
    }

    /// The object under `section` (empty: the whole document); .null when it is not there.
    mutating func section(_ section: String) -> FieldValue {
        guard !section.isEmpty else { return root }
        var value = root
        for step in section.split(separator: ".") { value = value[String(step)] ?? .null }
        return value
    }

    /// Reads something from the object under `section`. What it throws is collected under the section's path, and the
    /// result is nil.
    mutating func read<Result>(
        _ section: String, _ body: (FieldValue) throws(FieldProblem) -> Result
    ) -> Result? {
        let value = self.section(section)
        do throws(FieldProblem) {
            switch value {
            case .object, .null: return try body(value)
            case .bool, .integer, .number, .string, .array: throw value.mismatch("", wanted: .object)
            }
        } catch {
            let problem = section.isEmpty ? error : error.under(section)
            // A section of the wrong type fails for each of its fields, but is wrong once.
            if !problems.contains(problem) { problems.append(problem) }
            return nil
        }
    }

    /// Names of the fields that are there under `section` with a value, sorted. None when it is not an object.
    mutating func fields(of section: String) -> [String] {
        guard case .object(let members) = self.section(section) else { return [] }
        return members.filter { $0.value != .null }.keys.sorted()
    }

    /// A list of CIDRs; invalid ones are collected.
    mutating func cidrs(_ texts: [String], _ field: (Int) -> String) -> [CIDR] {
        var ranges: [CIDR] = []
        for (index, text) in texts.enumerated() {
            guard let range = CIDR(text) else {
                fail(field(index), "\(FieldValue.quoted(text)) is not a CIDR (such as 10.0.0.0/16)")
                continue
            }
            ranges.append(range)
        }
        return ranges
    }
}

extension String {
    /// The path of a field of the section by this name.
    func field(_ name: String) -> String { isEmpty ? name : "\(self).\(name)" }
}
