// From Yams' nodes to plain values. Aliases are already expanded in the nodes (shared storage, so that costs Yams
// nothing); here each value counts against the budget, which is what stops an alias bomb.

import ServiceModel
import Yams

struct YAMLConversion {
    /// Values that may still be made.
    private(set) var budget: Int
    private let maxDepth: Int

    init(budget: Int, maxDepth: Int) {
        self.budget = budget
        self.maxDepth = maxDepth
    }

    mutating func value(of node: Yams.Node, depth: Int) throws(TextProblem) -> FieldValue {
        budget -= 1
        guard budget >= 0 else { throw TextProblem(line: node.mark?.line, "holds too many values, aliases included") }
        guard depth < maxDepth else {
            throw TextProblem(line: node.mark?.line, "has more than \(maxDepth) objects and lists within each other")
        }
        switch node {
        case .scalar(let scalar): return try PlainScalar.value(of: scalar)
        case .sequence(let sequence):
            var elements: [FieldValue] = []
            elements.reserveCapacity(sequence.count)
            for element in sequence { elements.append(try value(of: element, depth: depth + 1)) }
            return .array(elements)
        case .mapping(let mapping): return .object(try members(of: mapping, depth: depth))
        case .alias: throw TextProblem(line: node.mark?.line, "holds an alias that was not resolved")
        }
    }

    private mutating func members(of mapping: Yams.Node.Mapping, depth: Int) throws(TextProblem) -> [String: FieldValue]
    {
        var members: [String: FieldValue] = [:]
        members.reserveCapacity(mapping.count)
        var merged: [FieldValue] = []
        for (key, node) in mapping {
            guard case .scalar(let name) = key else {
                throw TextProblem(line: key.mark?.line, "has a list or an object as the name of a field")
            }
            let value = try value(of: node, depth: depth + 1)
            if name.string == "<<", name.style == .plain {
                merged.append(value)
            } else if members.updateValue(value, forKey: name.string) != nil {
                throw TextProblem(
                    line: key.mark?.line, "\(FieldValue.quoted(name.string)) is there twice in one object")
            }
        }
        for value in merged { try merge(value, into: &members, line: mapping.mark?.line) }
        return members
    }

    /// What is merged never replaces what is there (https://yaml.org/type/merge.html).
    private func merge(_ value: FieldValue, into members: inout [String: FieldValue], line: Int?) throws(TextProblem) {
        switch value {
        case .object(let others): members.merge(others) { mine, _ in mine }
        case .array(let list):
            for case .object(let others) in list { members.merge(others) { mine, _ in mine } }
        case .null, .bool, .integer, .number, .string:
            throw TextProblem(line: line, "merges (<<) something that is not an object")
        }
    }
}
