// Whether an agent holds a pin folder, asked from outside without getting into its way.

import BPF
import SystemCalls

extension PinFolder {
    /// Whether some process holds the folder as ``lock()`` does.
    ///
    /// A shared lock is tried without waiting, and given up at once: it fails while an agent has its exclusive one, any
    /// number of askers succeed side by side, and the folder is theirs for the time between two system calls. It is
    /// given up by name, not by closing: a process that is being started from this one has copies of its descriptors
    /// until it runs its own program. An agent that starts in that very moment fails as if another one were running,
    /// and is started again by its supervisor.
    ///
    /// - Returns: false as well when there is no such folder.
    package func isHeldByAgent() throws(DatapathError) -> Bool {
        let directory: OpenDirectory
        do {
            directory = try OpenDirectory(path)
        } catch {
            if error.isNotFound { return false }
            throw .kernel(BPFError("open the pin folder", error))
        }
        do {
            return try !directory.tryLock(.shared)
        } catch {
            throw .kernel(BPFError("ask for the lock of the pin folder", error))
        }
    }
}
