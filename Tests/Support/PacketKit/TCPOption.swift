// Options of TCP (RFC 9293, 3.2; RFC 7323; RFC 2018).

package enum TCPOption: Equatable, Sendable {
    case noOperation
    case mss(UInt16)
    case windowScale(UInt8)
    case selectiveAcknowledgmentsPermitted
    case timestamps(UInt32, echo: UInt32)
    /// Any other, with its length.
    case other(kind: UInt8, [UInt8])
    /// Bytes in place of options: such that cannot be read, or what follows the end of the list.
    case raw([UInt8])

    private var bytes: [UInt8] {
        switch self {
        case .noOperation: [1]
        case .mss(let size): [2, 4] + size.networkOrder
        case .windowScale(let shift): [3, 3, shift]
        case .selectiveAcknowledgmentsPermitted: [4, 2]
        case .timestamps(let value, let echo): [8, 10] + value.networkOrder + echo.networkOrder
        case .other(let kind, let data): [kind, UInt8(truncatingIfNeeded: data.count + 2)] + data
        case .raw(let bytes): bytes
        }
    }

    /// Padded with zeros to a multiple of four.
    static func bytes(_ options: [TCPOption]) -> [UInt8] {
        options.flatMap(\.bytes).padded(toMultipleOf: 4)
    }

    /// The options without the zeros that padding will bring back.
    static func read(_ bytes: [UInt8]) -> [TCPOption] {
        var options: [TCPOption] = []
        var reader = ByteReader(bytes)
        while let kind = reader.rest.first {
            guard let option = read(kind, from: &reader) else {
                let rest = reader.takeRest()
                if rest.count >= 4 || rest.contains(where: { $0 != 0 }) { options.append(.raw(rest)) }
                return options
            }
            options.append(option)
        }
        return options
    }

    private static func read(_ kind: UInt8, from reader: inout ByteReader) -> TCPOption? {
        guard kind != 0 else { return nil }
        var attempt = reader
        _ = attempt.take(1)
        guard kind != 1 else {
            reader = attempt
            return .noOperation
        }
        guard let length = attempt.integer(UInt8.self), let data = attempt.take(Int(length) - 2) else { return nil }
        reader = attempt
        switch (kind, data.count) {
        case (2, 2): return .mss(data.integer(at: 0))
        case (3, 1): return .windowScale(data[0])
        case (4, 0): return .selectiveAcknowledgmentsPermitted
        case (8, 8): return .timestamps(data.integer(at: 0), echo: data.integer(at: 4))
        default: return .other(kind: kind, data)
        }
    }
}
