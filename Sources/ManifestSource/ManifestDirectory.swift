// The files that hold manifests: those of one directory, not of its subdirectories, or a single file. Which of them
// changed, and what is in them, is up to others.

import Foundation
import Glibc
package import ServiceModel
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
    /// With a selection, only those of them that are there: much cheaper in a large directory.
    package func entries(_ selection: Set<String>? = nil) throws(SystemError) -> [Entry] {
        let own = try FileStamp.of(path)
        guard own.file.kind == .directory else {
            return [Entry(name: (path as NSString).lastPathComponent, path: path, stamp: .success(own))]
        }
        let names: [String]
        do {
            names = try selection.map { Array($0) } ?? FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw SystemError(operation: "list", path: path, errno: Self.errno(of: error))
        }
        return names.filter(Self.isManifest).sorted().compactMap { name in
            let entryPath = path.hasSuffix("/") ? path + name : "\(path)/\(name)"
            do throws(SystemError) {
                let stamp = try FileStamp.of(entryPath)
                return stamp.file.kind == .directory ? nil : Entry(name: name, path: entryPath, stamp: .success(stamp))
            } catch {
                if error.isNotFound, !Self.isLink(entryPath) { return nil }
                return Entry(name: name, path: entryPath, stamp: .failure(error))
            }
        }
    }

    /// Whether there is a symbolic link by this name, be it to nowhere.
    private static func isLink(_ path: String) -> Bool {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
    }

    package static func isManifest(_ name: String) -> Bool {
        !name.hasPrefix(".") && [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) }
    }

    private static func errno(of error: any Error) -> Int32 {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        return Int32(underlying?.code ?? Int(EIO))
    }
}

extension ManifestDirectory.Entry {
    /// The content of the file as objects. What cannot be read is unreadable, with the reason.
    package func content(limits: TextLimits) -> ManifestContent {
        switch bytes(limits: limits) {
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
