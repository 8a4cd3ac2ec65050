// Label selectors as the API takes them: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, joined by commas.

package struct LabelSelector: Sendable, Equatable {
    package enum Requirement: Sendable, Equatable {
        case exists(String)
        case absent(String)
        /// The label is there and has one of these values.
        case oneOf(String, [String])
        /// The label is not there, or has none of these values.
        case noneOf(String, [String])
    }

    package var requirements: [Requirement] = []

    package init() {}

    package init(_ text: String) throws(APIStatus) {
        var tokens = Tokens(text)
        if tokens.next == nil { return }
        repeat {
            requirements.append(try Self.requirement(&tokens))
        } while tokens.skip(",")
        if let rest = tokens.next {
            throw .badRequest("unable to parse requirement: found '\(rest)', expected: ',' or 'end of string'")
        }
    }

    package func matches(_ labels: [String: String]) -> Bool {
        requirements.allSatisfy { requirement in
            switch requirement {
            case .exists(let key): labels[key] != nil
            case .absent(let key): labels[key] == nil
            case .oneOf(let key, let values): labels[key].map(values.contains) ?? false
            case .noneOf(let key, let values): !(labels[key].map(values.contains) ?? false)
            }
        }
    }

    private static func requirement(_ tokens: inout Tokens) throws(APIStatus) -> Requirement {
        if tokens.skip("!") { return .absent(try tokens.word("identifier")) }
        let key = try tokens.word("identifier")
        if tokens.skip("=") || tokens.skip("==") { return .oneOf(key, [tokens.value()]) }
        if tokens.skip("!=") { return .noneOf(key, [tokens.value()]) }
        if tokens.skip("in") { return .oneOf(key, try tokens.values()) }
        if tokens.skip("notin") { return .noneOf(key, try tokens.values()) }
        return .exists(key)
    }

    private struct Tokens {
        private var rest: ArraySlice<String>

        init(_ text: String) {
            var tokens: [String] = []
            var word = ""
            func flush() {
                if !word.isEmpty { tokens.append(word) }
                word = ""
            }
            for character in text {
                switch character {
                case " ", "\t": flush()
                case "=" where tokens.last == "!" && word.isEmpty: tokens[tokens.count - 1] = "!="
                case "=" where tokens.last == "=" && word.isEmpty: tokens[tokens.count - 1] = "=="
                case "=", "!", ",", "(", ")":
                    flush()
                    tokens.append(String(character))
                default: word.append(character)
                }
            }
            flush()
            rest = tokens[...]
        }

        var next: String? { rest.first }

        mutating func skip(_ token: String) -> Bool {
            guard rest.first == token else { return false }
            rest.removeFirst()
            return true
        }

        mutating func word(_ expected: String) throws(APIStatus) -> String {
            guard let token = rest.first, !["=", "==", "!=", "!", ",", "(", ")"].contains(token) else {
                throw .badRequest("unable to parse requirement: found '\(rest.first ?? "")', expected: \(expected)")
            }
            rest.removeFirst()
            return token
        }

        /// A value, which may be empty.
        mutating func value() -> String {
            (try? word("value")) ?? ""
        }

        mutating func values() throws(APIStatus) -> [String] {
            guard skip("(") else {
                throw .badRequest("unable to parse requirement: found '\(next ?? "")' expected: '('")
            }
            var values: [String] = []
            repeat { values.append(value()) } while skip(",")
            guard skip(")") else {
                throw .badRequest("unable to parse requirement: found '\(next ?? "")', expected: ',' or ')'")
            }
            return values
        }
    }
}
