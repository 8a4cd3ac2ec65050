// The last component of a path, and where that is: text alone, no file is looked at. Foundation's NSString does this as
// well, and ends the process when a path of one character is taken apart (Swift 6.2 on Linux).

/// `/etc/martlet/` is `martlet` in `/etc`, `m` is `m` in `.`, and `/` is `/` in itself.
package struct PathParts: Hashable, Sendable {
    /// The last component, without slashes.
    package let name: String
    /// What is in front of it; `.` when that is nothing.
    package let folder: String

    package init(_ path: String) {
        let whole = Self.withoutTrailingSlashes(path[...])
        guard let slash = whole.lastIndex(of: "/") else {
            (name, folder) = (String(whole), ".")
            return
        }
        let last = whole[whole.index(after: slash)...]
        name = last.isEmpty ? "/" : String(last)
        folder = String(Self.withoutTrailingSlashes(whole[...slash]))
    }

    /// A path of slashes only is the root: one of them stays.
    private static func withoutTrailingSlashes(_ path: Substring) -> Substring {
        var rest = path
        while rest.utf8.count > 1, rest.utf8.last == UInt8(ascii: "/") { rest = rest.dropLast() }
        return rest
    }
}
