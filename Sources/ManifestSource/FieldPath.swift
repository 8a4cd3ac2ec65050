// Takes the path of a field apart again, to find its line: `metadata.labels[app.kubernetes.io/name]`, `items[3].spec`.

enum FieldPath {
    enum Step: Hashable {
        case member(String)
        case element(Int)
    }

    /// A bracket holds an index, or a member's name that may contain dots.
    static func steps(_ path: String) -> [Step] {
        var steps: [Step] = []
        var rest = path[...]
        while let first = rest.first {
            if first == "[" {
                let inside = rest.dropFirst().prefix { $0 != "]" }
                steps.append(Int(inside).map { .element($0) } ?? .member(String(inside)))
                rest = rest[inside.endIndex...].dropFirst()
            } else if first == "." {
                rest = rest.dropFirst()
            } else {
                let name = rest.prefix { $0 != "." && $0 != "[" }
                steps.append(.member(String(name)))
                rest = rest[name.endIndex...]
            }
        }
        return steps
    }
}
