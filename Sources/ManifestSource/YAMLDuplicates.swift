// YAML in which fields are there twice, for the one reader that must bear it: kube-proxy warns of them and takes the last
// (FLAG-1). Yams refuses such text but says where the first of the two is: that one is given a name of its own, again
// and again until the text can be read, and left out of the result.

package import ServiceModel
internal import Yams

package struct YAMLDuplicates {
    /// The document as it is without the fields that a later one overrides.
    package let value: FieldValue
    /// Paths of fields that are there more than once, such as `iptables.masqueradeAll`, ordered.
    package let paths: [String]

    /// So many, in texts so large: each costs another reading of the whole text.
    private static let limit = (duplicates: 100, bytes: 1 << 20)
    private static let namePrefix = "martlet.dev/overridden-"

    /// Nil for what is not one document even so, and for names of fields that are no plain or quoted text.
    package init?(_ bytes: [UInt8], limits: TextLimits = TextLimits()) {
        guard bytes.count <= Self.limit.bytes, AliasCheck.problem(in: bytes[...]) == nil else { return nil }
        var bytes = Array(bytes.withoutByteOrderMark)
        for number in 0..<Self.limit.duplicates {
            guard let mark = Self.firstDuplicate(in: bytes) else { break }
            guard let renamed = Self.rename(in: bytes, at: mark, number) else { return nil }
            bytes = renamed
        }
        guard let documents = try? YAMLText.parse(bytes, limits: limits), documents.count == 1 else { return nil }
        var paths: Set<String> = []
        value = Self.clean(documents[0].value, at: "", &paths)
        self.paths = paths.sorted()
    }

    private static func firstDuplicate(in bytes: [UInt8]) -> Mark? {
        do {
            let parser = try Parser(yaml: YAMLText.text(bytes[...]), resolver: .basic, encoding: .utf8)
            while try parser.nextRoot() != nil {}
            return nil
        } catch YamlError.duplicatedKeysInMapping(_, let context) {
            return context.mark
        } catch {
            return nil
        }
    }

    /// Lines and columns of marks count from 1, columns in Unicode scalars.
    private static func rename(in bytes: [UInt8], at mark: Mark, _ number: Int) -> [UInt8]? {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Array($0) }
        guard lines.indices.contains(mark.line - 1), let line = String(validating: lines[mark.line - 1], as: UTF8.self)
        else { return nil }
        let before = String(String.UnicodeScalarView(line.unicodeScalars.prefix(mark.column - 1)))
        let name = String(line.unicodeScalars.dropFirst(mark.column - 1))
        guard let first = name.utf8.first, !"&*!|>".utf8.contains(first) else { return nil }
        // Behind the quote, if there is one.
        let quote = name.prefix(first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") ? 1 : 0)
        let rest = name.dropFirst(quote.count)
        lines[mark.line - 1] = Array("\(before)\(quote)\(namePrefix)\(number)-\(rest)".utf8)
        return Array(lines.joined(separator: [UInt8(ascii: "\n")]))
    }

    private static func clean(_ value: FieldValue, at path: String, _ paths: inout Set<String>) -> FieldValue {
        switch value {
        case .null, .bool, .integer, .number, .string: return value
        case .array(let elements):
            return .array(elements.enumerated().map { clean($1, at: "\(path)[\($0)]", &paths) })
        case .object(let members):
            var kept: [String: FieldValue] = [:]
            for (name, member) in members {
                let isOverridden = name.hasPrefix(namePrefix)
                // The number ends at the next hyphen.
                let own = isOverridden ? String(name.dropFirst(namePrefix.count).drop { $0 != "-" }.dropFirst()) : name
                let place = path.isEmpty ? own : "\(path).\(own)"
                if isOverridden { paths.insert(place) } else { kept[name] = clean(member, at: place, &paths) }
            }
            return .object(kept)
        }
    }
}
