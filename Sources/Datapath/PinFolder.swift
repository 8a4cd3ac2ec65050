// Where one datapath is pinned: a folder in a BPF file system, with a place for every map and every link. Two agents with
// two folders do not meet; two agents with one folder are refused through a lock that dies with its holder.

package import BPF
import Glibc
import SystemCalls

package struct PinFolder: Hashable, Sendable {
    package let path: String

    package init(path: String) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }

    package static let conventional = PinFolder(path: "/sys/fs/bpf/martlet")

    package func pin(of map: MapName) -> String { "\(path)/maps/\(map.rawValue)" }
    func pin(of hook: SocketHook) -> String { "\(path)/links/\(hook.rawValue)" }

    /// Whether a datapath is pinned here, complete or not.
    package func exists() throws(BPFError) -> Bool {
        let maps = try BPFFileSystem.entries(at: "\(path)/maps")
        let links = try BPFFileSystem.entries(at: "\(path)/links")
        return !maps.isEmpty || !links.isEmpty
    }

    /// Makes the folder, mounting the BPF file system at its conventional place if the folder lies there.
    func prepare() throws(BPFError) {
        if path.hasPrefix(BPFFileSystem.conventionalPath + "/"), !BPFFileSystem.isMounted() {
            try BPFFileSystem.mount()
        }
        guard BPFFileSystem.isMounted(at: existingPart) else {
            throw BPFError(
                operation: "use the pin folder", object: path, errno: EINVAL,
                detail:
                    "it is not in a BPF file system; mount one there, or choose a folder below \(BPFFileSystem.conventionalPath)"
            )
        }
        try BPFFileSystem.ensureDirectory("\(path)/maps")
        try BPFFileSystem.ensureDirectory("\(path)/links")
    }

    /// The folder, or the closest one above it that exists.
    private var existingPart: String {
        var part = path[...]
        while !FileStatus.exists(String(part)), let slash = part.lastIndex(of: "/") { part = part[..<slash] }
        return part.isEmpty ? "/" : String(part)
    }

    /// Takes the folder for one agent, until the lock is given up or the process ends, however it ends.
    ///
    /// - Throws: `DatapathError.agentIsRunning` while another process holds it.
    package func lock() throws(DatapathError) -> PinFolderLock {
        let directory = try open()
        do {
            if try directory.tryLock(.exclusive) { return PinFolderLock(directory) }
        } catch {
            throw .kernel(BPFError("lock the pin folder", error))
        }
        throw .agentIsRunning(pinFolder: path)
    }

    private func open() throws(DatapathError) -> OpenDirectory {
        do {
            return try OpenDirectory(path)
        } catch {
            throw .kernel(BPFError("open the pin folder", error))
        }
    }
}

/// Holds a pin folder; gives it up when it is destroyed.
package struct PinFolderLock: ~Copyable, Sendable {
    private let directory: OpenDirectory

    fileprivate init(_ directory: consuming OpenDirectory) {
        self.directory = directory
    }

    /// Whether what is at the folder's path now is what is held.
    func holds(_ folder: PinFolder) -> Bool {
        guard let held = try? directory.status(), let present = try? FileStatus.of(folder.path) else { return false }
        return held.isSameFile(as: present)
    }
}
