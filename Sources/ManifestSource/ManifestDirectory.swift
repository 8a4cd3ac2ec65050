// The files that hold manifests: those of one directory, not of its subdirectories, or a single file. Which of them
// changed, and what is in them, is up to others.

import Glibc
import ServiceModel
package import SystemCalls

package struct ManifestDirectory: Hashable, Sendable {
    package var path: String

    package init(_ path: String) {
        self.path = path
    }

    /// A manifest file as it is now.
    package struct Entry: Hashable, Sendable {
        /// Within the directory; the last component of the path for a single file.
        package var name: String
        package var path: String
        /// Why the file cannot be looked at, such as a symbolic link to nowhere.
        package var stamp: Result<FileStamp, SystemError>
    }

    /// All manifest files, sorted by name. In a directory these are *.yaml, *.yml and *.json, except hidden ones:
    /// ConfigMap volumes keep their versions in `..data` and the like. Directories by such a name are not manifests.
    /// Throws when the path cannot be read at all.
    ///
    /// With a selection, only those of them that are there: much cheaper in a large directory. It cannot name files
    /// whose name is not UTF-8, which are in the whole list only, to be reported.
    package func entries(_ selection: Set<String>? = nil) throws(SystemError) -> [Entry] {
        let own = try FileStamp.of(path)
        guard own.file.kind == .directory else {
            return [Entry(name: PathParts(path).name, path: path, stamp: .success(own))]
        }
        guard let selection else { return try all() }
        return selection.filter(Self.isManifest).sorted().compactMap(entry)
    }

    private func all() throws(SystemError) -> [Entry] {
        var entries: [Entry] = []
        for bytes in try Directory.names(in: path) {
            if let name = String(validating: bytes, as: UTF8.self) {
                guard Self.isManifest(name), let entry = entry(name) else { continue }
                entries.append(entry)
            } else if Self.isManifest(String(decoding: bytes, as: UTF8.self)) {
                entries.append(unnamable(bytes))
            }
        }
        return entries.sorted { $0.name < $1.name }
    }

    /// Nil for what is not there, and for directories.
    private func entry(_ name: String) -> Entry? {
        let entryPath = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
        do throws(SystemError) {
            let stamp = try FileStamp.of(entryPath)
            return stamp.file.kind == .directory ? nil : Entry(name: name, path: entryPath, stamp: .success(stamp))
        } catch {
            if error.isNotFound, !Self.isLink(entryPath) { return nil }
            return Entry(name: name, path: entryPath, stamp: .failure(error))
        }
    }

    /// A file that no path leads to as text; called by its bytes, those beyond ASCII as `\xff`.
    private func unnamable(_ bytes: [UInt8]) -> Entry {
        let name = bytes.map { $0 < 0x80 ? String(UnicodeScalar($0)) : "\\x" + String($0, radix: 16) }.joined()
        let error = SystemError(operation: "name", path: name, errno: EILSEQ)
        return Entry(name: name, path: "\(path)/\(name)", stamp: .failure(error))
    }

    /// Whether there is a symbolic link by this name, be it to nowhere.
    private static func isLink(_ path: String) -> Bool {
        (try? FileStatus.of(path, followsLink: false))?.kind == .symbolicLink
    }

    package static func isManifest(_ name: String) -> Bool {
        !name.hasPrefix(".") && [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) }
    }
}

extension ManifestDirectory.Entry {
    /// The content of the file as objects, once its bytes have been read. What cannot be read is unreadable, with the
    /// reason.
    func content(of bytes: Result<[UInt8], TextProblem>, limits: TextLimits) -> ManifestContent {
        switch bytes {
        case .success(let bytes): ManifestText.parse(bytes, name: name, limits: limits)
        case .failure(let problem): .unreadable(problem)
        }
    }

    func bytes(limits: TextLimits) -> Result<[UInt8], TextProblem> {
        switch stamp {
        case .failure(let error): return .failure(TextProblem("cannot be read: \(error.words)"))
        case .success(let stamp):
            guard stamp.file.kind == .regular else {
                return .failure(TextProblem("is neither a file nor a link to one"))
            }
            guard stamp.file.bytes <= Int64(limits.bytes) else {
                return .failure(TextProblem("has \(stamp.file.bytes) bytes; at most \(limits.bytes) are read"))
            }
        }
        do {
            return .success(try WholeFile.bytes(of: path))
        } catch {
            return .failure(TextProblem("cannot be read: \(error.words)"))
        }
    }
}
