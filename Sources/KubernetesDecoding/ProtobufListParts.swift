// The items and the metadata of a protobuf list: `k8s\0`, then an Unknown whose field 2 holds the list, whose field 1 is
// metadata and whose fields 2 are items. Fields are taken as they come; none but an item or the metadata is kept.

import KubernetesMessages
import SwiftProtobuf

struct ProtobufListParts: Sendable {
    private enum Field: Sendable {
        case head
        case item
        case other
    }

    private let limits: AnswerLimits
    /// Bytes that are not used up; at most those of one chunk and one field's head.
    private var bytes: [UInt8] = []
    private var position = 0
    private var hasMagic = false
    /// Bytes of the list that are still to come; nil outside of it.
    private var listRest: Int?
    private var hadList = false
    /// The field that is being taken.
    private var field: (kind: Field, rest: Int, isOversized: Bool)?
    private var content: [UInt8] = []

    init(limits: AnswerLimits) {
        self.limits = limits
    }

    var isComplete: Bool { hadList && listRest == nil && field == nil && position == bytes.count }

    mutating func read(_ more: [UInt8]) throws(UnreadableAnswer) -> [ListPart] {
        bytes.removeFirst(position)
        position = 0
        bytes += more
        var parts: [ListPart] = []
        if !hasMagic {
            guard bytes.count >= Envelope.magic.count else { return [] }
            guard bytes.starts(with: Envelope.magic) else {
                throw UnreadableAnswer("the answer does not begin with k8s")
            }
            position = Envelope.magic.count
            hasMagic = true
        }
        while true {
            if field != nil {
                guard let part = try takeField() else { return parts }
                if let part = part.part { parts.append(part) }
            } else if listRest == 0 {
                listRest = nil
            } else {
                guard try beginField() else { return parts }
            }
        }
    }

    /// Returns nil when more bytes are needed.
    private mutating func takeField() throws(UnreadableAnswer) -> (part: ListPart?, Void)? {
        guard var current = field else { return nil }
        let count = min(current.rest, bytes.count - position)
        if current.kind != .other, !current.isOversized { content += bytes[position..<position + count] }
        position += count
        current.rest -= count
        field = current
        guard current.rest == 0 else { return nil }
        defer {
            field = nil
            content = []
        }
        switch current.kind {
        case .other: return (nil, ())
        case .item: return (current.isOversized ? .oversizedItem : .item(content), ())
        case .head: return (.head(try head()), ())
        }
    }

    private func head() throws(UnreadableAnswer) -> ListHead {
        do {
            let message = try WireListMeta(serializedBytes: content, options: .lean)
            let token = message.continue
            return ListHead(resourceVersion: message.resourceVersion, continueToken: token.isEmpty ? nil : token)
        } catch {
            throw UnreadableAnswer("the list's metadata cannot be read: \(error)")
        }
    }

    /// Reads a field's head. Returns false when more bytes are needed.
    private mutating func beginField() throws(UnreadableAnswer) -> Bool {
        var next = position
        guard let tag = try varint(&next) else { return false }
        let (number, type) = (tag >> 3, tag & 7)
        var length: UInt64
        switch type {
        case 0:
            guard try varint(&next) != nil else { return false }
            length = 0
        case 1: length = 8
        case 2:
            guard let size = try varint(&next) else { return false }
            length = size
        case 5: length = 4
        default: throw UnreadableAnswer("a field of wire type \(type)")
        }
        guard length <= 1 << 40 else { throw UnreadableAnswer("a field of \(length) bytes") }
        let size = next - position + Int(length)
        position = next
        guard let rest = listRest else {
            if number == 2, type == 2, !hadList {
                hadList = true
                listRest = Int(length)
            } else {
                field = (.other, Int(length), false)
            }
            return true
        }
        guard size <= rest else { throw UnreadableAnswer("a field that is longer than its list") }
        listRest = rest - size
        field = try content(number, type, Int(length))
        return true
    }

    private func content(
        _ number: UInt64, _ type: UInt64, _ length: Int
    ) throws(UnreadableAnswer) -> (Field, Int, Bool) {
        switch (number, type) {
        case (1, 2):
            guard length <= limits.head else { throw UnreadableAnswer("list metadata of \(length) bytes") }
            return (.head, length, false)
        case (2, 2): return (.item, length, length > limits.object)
        default: return (.other, length, false)
        }
    }

    /// Nil, and nothing moved, when the bytes end within it.
    private func varint(_ next: inout Int) throws(UnreadableAnswer) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard next < bytes.count else { return nil }
            let byte = bytes[next]
            next += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw UnreadableAnswer("a number of more than 64 bits")
    }
}
