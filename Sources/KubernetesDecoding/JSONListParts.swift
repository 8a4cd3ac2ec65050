// The items and the metadata of a JSON list: members of one object, of which `items` is taken element by element. Only
// finds where values begin and end; whether they are JSON is found out when they are read.

import ServiceModel

struct JSONListParts: Sendable {
    private enum Place: Sendable {
        case beforeList
        case beforeName
        case name
        case afterName
        case beforeValue
        case value
        case beforeItem
        case item
        case afterList
    }

    private let limits: AnswerLimits
    private var place = Place.beforeList
    private var name: [UInt8] = []
    private var value = JSONValueBytes()

    init(limits: AnswerLimits) {
        self.limits = limits
    }

    var isComplete: Bool { place == .afterList }

    mutating func read(_ bytes: [UInt8]) throws(UnreadableAnswer) -> [ListPart] {
        var parts: [ListPart] = []
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            switch place {
            case .name, .value, .item:
                guard try value.take(bytes, &position) else { continue }
                if let part = try finishValue() { parts.append(part) }
                continue
            case .beforeList, .beforeName, .afterName, .beforeValue, .beforeItem, .afterList:
                guard !byte.isJSONSpace else { break }
                if try step(byte) { continue }
            }
            position += 1
        }
        return parts
    }

    /// A mark between values. Returns true when the byte begins a value and has to be taken with it.
    private mutating func step(_ byte: UInt8) throws(UnreadableAnswer) -> Bool {
        switch (place, byte) {
        case (.beforeList, UInt8(ascii: "{")): place = .beforeName
        case (.beforeName, UInt8(ascii: ",")), (.beforeItem, UInt8(ascii: ",")): break
        case (.beforeName, UInt8(ascii: "}")): place = .afterList
        case (.beforeName, UInt8(ascii: "\"")): return begin(.name, limit: limits.head)
        case (.afterName, UInt8(ascii: ":")): place = .beforeValue
        case (.beforeValue, UInt8(ascii: "[")) where name.elementsEqual(#""items""#.utf8): place = .beforeItem
        case (.beforeValue, _): return begin(.value, limit: limits.head)
        case (.beforeItem, UInt8(ascii: "]")): place = .beforeName
        case (.beforeItem, _): return begin(.item, limit: limits.object)
        case (.beforeList, _), (.beforeName, _), (.afterName, _), (.afterList, _), (.name, _), (.value, _), (.item, _):
            throw UnreadableAnswer("byte \(byte) where a list should go on")
        }
        return false
    }

    private mutating func begin(_ next: Place, limit: Int) -> Bool {
        place = next
        value = JSONValueBytes(limit: limit)
        return true
    }

    private mutating func finishValue() throws(UnreadableAnswer) -> ListPart? {
        defer { value = JSONValueBytes() }
        switch place {
        case .name:
            name = value.bytes
            place = .afterName
        case .value:
            place = .beforeName
            if name.elementsEqual(#""metadata""#.utf8) { return .head(try head()) }
        case .item:
            place = .beforeItem
            return value.isOversized ? .oversizedItem : .item(value.bytes)
        case .beforeList, .beforeName, .afterName, .beforeValue, .beforeItem, .afterList: break
        }
        return nil
    }

    private func head() throws(UnreadableAnswer) -> ListHead {
        guard !value.isOversized, let fields = (try? JSONText.parse(value.bytes))?.first?.value else {
            throw UnreadableAnswer("the list's metadata cannot be read")
        }
        let token = fields.text("continue") ?? ""
        return ListHead(
            resourceVersion: fields.text("resourceVersion") ?? "", continueToken: token.isEmpty ? nil : token)
    }
}

/// Collects the bytes of one JSON value, from its first byte to its last.
struct JSONValueBytes: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var isOversized = false
    private let limit: Int
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    init(limit: Int = 0) {
        self.limit = limit
    }

    /// Takes bytes up to the end of the value, or all there are. Returns whether the value is complete.
    mutating func take(_ input: [UInt8], _ position: inout Int) throws(UnreadableAnswer) -> Bool {
        let start = position
        var isComplete = false
        while position < input.count, !isComplete {
            let byte = input[position]
            if !isInString, depth == 0, position > start || !bytes.isEmpty, byte.endsJSONScalar {
                isComplete = true
                break
            }
            position += 1
            isComplete = follow(byte)
        }
        keep(input[start..<position])
        return isComplete
    }

    /// Returns whether the value ends with this byte.
    private mutating func follow(_ byte: UInt8) -> Bool {
        guard !isInString else {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
                return depth == 0
            }
            return false
        }
        switch byte {
        case UInt8(ascii: "\""): isInString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            depth -= 1
            return depth <= 0
        default: break
        }
        return false
    }

    private mutating func keep(_ slice: ArraySlice<UInt8>) {
        if isOversized || bytes.count + slice.count > limit {
            isOversized = true
            // One byte stays, so that the value is known to have begun.
            bytes = [0]
        } else {
            bytes += slice
        }
    }
}

extension UInt8 {
    fileprivate var isJSONSpace: Bool { self == 0x20 || self == 0x0a || self == 0x0d || self == 0x09 }

    /// Ends a number or a word, and is not part of it.
    fileprivate var endsJSONScalar: Bool {
        isJSONSpace || self == UInt8(ascii: ",") || self == UInt8(ascii: "}") || self == UInt8(ascii: "]")
    }
}
