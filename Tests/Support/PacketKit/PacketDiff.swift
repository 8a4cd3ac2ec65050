// How two packets differ, field by field, as text for test failures.

/// One line for each field that differs; empty for equal packets.
package func diff(_ expected: Packet, _ actual: Packet) -> String { diff(expected.fields, actual.fields) }

/// One line for each field that differs; empty for equal frames.
package func diff(_ expected: Frame, _ actual: Frame) -> String { diff(expected.fields, actual.fields) }

/// How bytes differ from a frame: empty if they are exactly the frame's.
package func diff(_ expected: Frame, _ actual: [UInt8]) -> String {
    do {
        let text = diff(expected, try Frame(parsing: actual))
        guard text.isEmpty, expected.bytes != actual else { return text }
        return "bytes: expected \(expected.bytes.hex), actual \(actual.hex)"
    } catch {
        return "\(error)"
    }
}

private func diff(_ expected: [PacketField], _ actual: [PacketField]) -> String {
    let wanted = Dictionary(expected.map { ($0.name, $0.value) }) { first, _ in first }
    let found = Dictionary(actual.map { ($0.name, $0.value) }) { first, _ in first }
    let changed = expected.compactMap { field -> String? in
        guard let value = found[field.name] else { return "\(field.name): expected \(field.value), actual none" }
        return value == field.value ? nil : "\(field.name): " + change(from: field.value, to: value)
    }
    let added = actual.filter { wanted[$0.name] == nil }.map { "\($0.name): expected none, actual \($0.value)" }
    return (changed + added).joined(separator: "\n")
}

/// Long values from a little before the place where they begin to differ.
private func change(from expected: String, to actual: String) -> String {
    guard max(expected.count, actual.count) > 64 else { return "expected \(expected), actual \(actual)" }
    let common = zip(expected, actual).prefix { $0 == $1 }.count
    let start = max(0, common / 2 * 2 - 8)
    func part(_ text: String) -> String {
        "\(start > 0 ? "…" : "")\(text.dropFirst(start).prefix(48))\(text.count > start + 48 ? "…" : "")"
    }
    return "differs at byte \(common / 2) of \(expected.count / 2) and \(actual.count / 2): "
        + "expected \(part(expected)), actual \(part(actual))"
}
