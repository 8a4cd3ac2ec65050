// Reads a directory of manifests once, for plan and explain, and as the first step of watching it.

package import ServiceModel
import SystemCalls

package struct ManifestContents: Hashable, Sendable {
    /// Ordered by kind and name.
    package var facts: [Fact]
    package var problems: [SourceProblem]
    /// Why nothing could be read: the path, or the one file that it is, cannot be opened. Nil when something was.
    package var obstacle: String?
}

package enum Manifests {
    /// Reads all manifest files at `path` (a directory, or one file). Never throws: what cannot be read is a problem,
    /// the path itself included. Blocks; call it off the cooperative pool.
    package static func once(path: String, limits: TextLimits = TextLimits()) -> ManifestContents {
        var state = ManifestState()
        var obstacle: String?
        do throws(SystemError) {
            for entry in try ManifestDirectory(path).entries() {
                let bytes = entry.bytes(limits: limits)
                if case .failure(let problem) = bytes, entry.path == path { obstacle = problem.message }
                state.update(file: entry.name, entry.content(of: bytes, limits: limits))
            }
        } catch {
            let message = "cannot be read: \(error.words)"
            obstacle = message
            state.setProblems(directory: message, watching: nil, path: path)
        }
        return ManifestContents(facts: state.facts, problems: state.problems, obstacle: obstacle)
    }
}
