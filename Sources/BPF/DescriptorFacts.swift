// What /proc says about an open descriptor: the one place where the kernel tells maps, programs and links apart, since
// a pin opens as any of them and their facts are queried by one and the same call.

/// The kinds of kernel object that a pin can hold.
enum PinnedKind: String {
    case map = "map_type"
    case program = "prog_type"
    case link = "link_type"
}

extension Descriptor {
    /// The lines of the descriptor's fdinfo by name.
    func facts(_ object: String) throws(BPFError) -> [Substring: Substring] {
        let text = try readWholeFile(withNumber { "/proc/self/fdinfo/\($0)" })
        var facts: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            facts[line[..<colon]] = line[colon...].dropFirst().drop { $0 == "\t" || $0 == " " }
        }
        return facts
    }

    /// Refuses a descriptor of another kind of object (EINVAL).
    func require(_ kind: PinnedKind, _ operation: String, _ object: String) throws(BPFError) {
        guard try facts(object)[kind.rawValue[...]] == nil else { return }
        throw .mismatch(operation, object, "something else is pinned there")
    }
}
