// Typed access to the members of an object, with the exact field in every error. Absent and null are the same here, as
// in the API; a wrong type is always an error, never a conversion (the string "80" is not a number). Who needs to tell
// null from absent looks at the members itself.

/// What a field should have held, in words for messages.
package enum WantedType: String {
    case string = "a string"
    case bool = "true or false"
    case integer = "a whole number"
    case list = "a list"
    case object = "an object"
}

extension FieldValue {
    /// Nil when absent or null.
    package func string(_ key: String) throws(FieldProblem) -> String? {
        guard let value = self[key] else { return nil }
        guard case .string(let text) = value else { throw value.mismatch(key, wanted: .string) }
        return text
    }

    /// Nil when absent or null.
    package func bool(_ key: String) throws(FieldProblem) -> Bool? {
        guard let value = self[key] else { return nil }
        guard case .bool(let flag) = value else { throw value.mismatch(key, wanted: .bool) }
        return flag
    }

    /// Nil when absent or null. A number with a fraction or an exponent is not an integer, not even 80.0.
    package func integer(_ key: String) throws(FieldProblem) -> Int64? {
        guard let value = self[key] else { return nil }
        guard case .integer(let number) = value else { throw value.mismatch(key, wanted: .integer) }
        return number
    }

    /// Empty when absent or null.
    package func array(_ key: String) throws(FieldProblem) -> [FieldValue] {
        guard let value = self[key] else { return [] }
        guard case .array(let elements) = value else { throw value.mismatch(key, wanted: .list) }
        return elements
    }

    /// Nil when absent or null.
    package func object(_ key: String) throws(FieldProblem) -> FieldValue? {
        guard let value = self[key] else { return nil }
        guard case .object = value else { throw value.mismatch(key, wanted: .object) }
        return value
    }

    /// A list of strings; empty when absent or null.
    package func strings(_ key: String) throws(FieldProblem) -> [String] {
        try mapArray(key) { (value) throws(FieldProblem) in
            guard case .string(let text) = value else { throw value.mismatch("", wanted: .string) }
            return text
        }
    }

    /// Reads each element of a list; a problem in one carries its index. Empty when absent or null.
    package func mapArray<Result>(
        _ key: String, _ read: (FieldValue) throws(FieldProblem) -> Result
    ) throws(FieldProblem) -> [Result] {
        let elements = try array(key)
        var results: [Result] = []
        results.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            do throws(FieldProblem) {
                results.append(try read(element))
            } catch {
                throw error.under("\(key)[\(index)]")
            }
        }
        return results
    }

    /// Reads a member that is an object; a problem in it carries the member's name. Nil when absent or null.
    package func mapObject<Result>(
        _ key: String, _ read: (FieldValue) throws(FieldProblem) -> Result
    ) throws(FieldProblem) -> Result? {
        guard let member = try object(key) else { return nil }
        do throws(FieldProblem) {
            return try read(member)
        } catch {
            throw error.under(key)
        }
    }

    /// A port, where zero and absence mean that there is none.
    package func port(_ key: String) throws(FieldProblem) -> UInt16 {
        guard let number = try integer(key) else { return 0 }
        guard let port = UInt16(exactly: number) else {
            throw FieldProblem(key, "\(number) is not a port (1…65535)")
        }
        return port
    }

    /// The error for a value of another type than wanted, with a hint where quotes are to blame.
    package func mismatch(_ key: String, wanted: WantedType) -> FieldProblem {
        let hint =
            switch self {
            case .string(let text) where wanted == .integer && Int64(text).map { "\($0)" == text } == true:
                ": write it without quotes"
            case .string(let text) where wanted == .integer && Int64(text) != nil:
                // Without quotes it would be text as well: octal to some readers of YAML.
                ": write it without leading zeros, signs and quotes"
            case .bool, .integer, .number: wanted == .string ? ": put it in quotes" : ""
            case .null, .string, .array, .object: ""
            }
        return FieldProblem(key, "\(forMessages) is not \(wanted.rawValue)\(hint)")
    }
}
