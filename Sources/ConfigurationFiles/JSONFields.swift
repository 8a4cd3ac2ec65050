// A tree of plain values as JSON text, with members in the order of their names.

import Foundation
import ServiceModel

enum JSONFields {
    static func text(of value: FieldValue) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // There is nothing in it that JSON could not say but numbers that are none, which no document has.
        return (try? encoder.encode(Node(value: value))).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    private struct Node: Encodable {
        let value: FieldValue

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch value {
            case .null: try container.encodeNil()
            case .bool(let flag): try container.encode(flag)
            case .integer(let number): try container.encode(number)
            case .number(let number): try container.encode(number)
            case .string(let text): try container.encode(text)
            case .array(let elements): try container.encode(elements.map { Node(value: $0) })
            case .object(let members): try container.encode(members.mapValues { Node(value: $0) })
            }
        }
    }
}
