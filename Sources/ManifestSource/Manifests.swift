// Reads a directory of manifests once, for plan and explain, and as the first step of watching it.

package import ServiceModel
import SystemCalls

package struct ManifestContents: Hashable, Sendable {
    /// Ordered by kind and name.
    package var facts: [Fact]
    package var problems: [ManifestProblem]
}

package enum Manifests {
    /// Reads all manifest files at `path` (a directory, or one file). Never throws: what cannot be read is a problem,
    /// the path itself included. Blocks; call it off the cooperative pool.
    package static func once(path: String, limits: TextLimits = TextLimits()) -> ManifestContents {
        var state = ManifestState()
        do throws(SystemError) {
            for entry in try ManifestDirectory(path).entries() {
                state.update(file: entry.name, entry.content(limits: limits))
            }
        } catch {
            state.setProblems(directory: "cannot be read: \(error.words)", watching: nil, path: path)
        }
        return ManifestContents(facts: state.facts, problems: state.problems)
    }
}
