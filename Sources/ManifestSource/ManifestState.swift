// What the manifest files say together, and what became of each object since the last time anybody asked. Pure:
// contents of files go in, changes of facts come out, each at most once (EP-19). The rule for mistakes: what is wrong
// keeps its last good version, what is gone from a good file is gone.

package import ServiceModel

package struct ManifestState: Sendable {
    private var files: [String: File] = [:]
    /// Which files define an object, in file order; more than one is a problem, and a good definition goes before a
    /// kept one.
    private var owners: [ObjectIdentity: [String]] = [:]
    /// Objects with more than one owner, and files with problems: few, so that asking for problems is cheap.
    private var shared: Set<ObjectIdentity> = []
    private var faulty: Set<String> = []
    /// What was told to the outside.
    private var told: [ObjectIdentity: Fact] = [:]
    private var dirty: Set<ObjectIdentity> = []
    private var directoryProblems: [SourceProblem] = []

    package init() {}

    private struct File {
        var objects: [ObjectIdentity: Entry] = [:]
        var problems: [SourceProblem] = []
    }

    private struct Entry {
        var fact: Fact
        var document: Int
        var line: Int
        /// The current text of the object is wrong; this is what it was before.
        var isKept: Bool

        var kept: Entry {
            var copy = self
            copy.isKept = true
            return copy
        }
    }

    /// The file holds this now.
    package mutating func update(file name: String, _ content: ManifestContent) {
        let old = files[name] ?? File()
        let new: File
        switch content {
        case .unreadable(let problem): new = Self.keep(old, because: problem, file: name)
        case .objects(let objects): new = Self.read(objects, after: old, file: name)
        }
        replace(name, old, by: new)
    }

    /// The file is gone, and its objects with it.
    package mutating func remove(file name: String) {
        guard let old = files[name] else { return }
        replace(name, old, by: File())
        files[name] = nil
    }

    /// The file is not there right now. Its objects stay, but yield to definitions elsewhere (the file may just have
    /// been renamed), until it is removed or updated.
    package mutating func suspend(file name: String) {
        guard let old = files[name] else { return }
        replace(name, old, by: File(objects: old.objects.mapValues(\.kept), problems: old.problems))
    }

    /// The directory cannot be read: everything stays as it is. Or changes of it are found late only. Nil when all is
    /// well.
    package mutating func setProblems(directory: String?, watching: String?, path: String) {
        directoryProblems = []
        if let directory {
            directoryProblems.append(
                SourceProblem(
                    file: path, problem: ObjectProblem(object: "", message: directory),
                    consequence: files.isEmpty ? .notUsed : .lastGoodKept))
        }
        if let watching {
            directoryProblems.append(
                SourceProblem(
                    file: path, problem: ObjectProblem(object: "", message: watching), consequence: .leftOut))
        }
    }

    /// What changed since the last call, ordered by kind and name. Costs as much as what changed.
    package mutating func takeChanges() -> [FactChange] {
        var changes: [FactChange] = []
        for identity in dirty.sorted() {
            let fact = winner(identity)
            guard fact != told[identity] else { continue }
            told[identity] = fact
            changes.append(fact?.change ?? identity.deletion)
        }
        dirty = []
        return changes
    }

    /// Everything that is wrong now, by file, document and line.
    package var problems: [SourceProblem] {
        var problems = directoryProblems
        let duplicates = duplicateProblems()
        for name in faulty.union(duplicates.keys).sorted() {
            let own = (files[name]?.problems ?? []) + (duplicates[name] ?? [])
            problems += own.sorted { ($0.document ?? 0, $0.line ?? 0) < ($1.document ?? 0, $1.line ?? 0) }
        }
        return problems
    }

    /// The names of all files that have been read and not removed.
    package var fileNames: Set<String> { Set(files.keys) }

    /// The facts in force, ordered by kind and name.
    package var facts: [Fact] { owners.keys.sorted().compactMap { winner($0) } }
}

// One file against its former self.
extension ManifestState {
    private static func keep(_ old: File, because problem: TextProblem, file name: String) -> File {
        var new = old
        new.objects = old.objects.mapValues(\.kept)
        new.problems = [
            SourceProblem(
                file: name, line: problem.line, problem: ObjectProblem(object: "", message: problem.message),
                consequence: old.objects.isEmpty ? .notUsed : .lastGoodKept)
        ]
        return new
    }

    private static func read(_ objects: [ManifestObject], after old: File, file name: String) -> File {
        var new = File()
        var seen: [ObjectIdentity: Int] = [:]
        var culprits: Set<DecodedObject.Culprit> = []
        for object in objects {
            if let identity = object.decoded.identity {
                if let first = seen[identity] {
                    new.problems.append(repetition(of: identity, object, first: first, file: name))
                    continue
                }
                seen[identity] = object.line
            }
            var fatal: SourceProblem.Consequence?
            switch object.decoded.outcome {
            case .fact(let fact):
                new.objects[fact.identity] = Entry(
                    fact: fact, document: object.document, line: object.line, isKept: false)
            case .nothing: break
            case .unusable(.object(let identity), _):
                new.objects[identity] = old.objects[identity]?.kept
                fatal = new.objects[identity] == nil ? .notUsed : .lastGoodKept
            case .unusable(let culprit, _):
                culprits.insert(culprit)
                fatal = .notUsed
            }
            new.problems += problems(of: object, fatal: fatal, file: name)
        }
        keepMissing(in: &new, after: old, seen: Set(seen.keys), culprits, file: name)
        return new
    }

    private static func repetition(
        of identity: ObjectIdentity, _ object: ManifestObject, first: Int, file name: String
    ) -> SourceProblem {
        let message = "is defined in line \(first) already, and that is used"
        return SourceProblem(
            file: name, document: object.document, line: object.line,
            problem: ObjectProblem(object: "\(identity)", message: message), consequence: .leftOut)
    }

    /// An object that does not say clearly who it is may be one of those that are missing now, so these stay.
    private static func keepMissing(
        in new: inout File, after old: File, seen: Set<ObjectIdentity>, _ culprits: Set<DecodedObject.Culprit>,
        file name: String
    ) {
        guard !culprits.isEmpty else { return }
        for (identity, entry) in old.objects where !seen.contains(identity) {
            guard culprits.contains(where: { $0.mayBe(identity) }) else { continue }
            new.objects[identity] = entry.kept
            let problem = ObjectProblem(
                object: "\(identity)", message: "is missing, and another object does not say clearly who it is")
            new.problems.append(SourceProblem(file: name, problem: problem, consequence: .lastGoodKept))
        }
    }

    private static func problems(
        of object: ManifestObject, fatal: SourceProblem.Consequence?, file name: String
    ) -> [SourceProblem] {
        zip(object.decoded.allProblems, object.problemLines).enumerated().map { index, pair in
            SourceProblem(
                file: name, document: object.document, line: pair.1, problem: pair.0,
                consequence: index == 0 ? fatal ?? .leftOut : .leftOut)
        }
    }
}

// All files together.
extension ManifestState {
    private mutating func replace(_ name: String, _ old: File, by new: File) {
        files[name] = new
        if new.problems.isEmpty { faulty.remove(name) } else { faulty.insert(name) }
        for identity in old.objects.keys where new.objects[identity] == nil {
            owners[identity]?.removeAll { $0 == name }
            if owners[identity]?.isEmpty == true { owners[identity] = nil }
            noteSharing(of: identity)
            dirty.insert(identity)
        }
        for (identity, entry) in new.objects {
            let before = old.objects[identity]
            if before == nil {
                owners[identity, default: []].append(name)
                owners[identity]?.sort()
                noteSharing(of: identity)
            }
            if before?.fact != entry.fact || before?.isKept != entry.isKept { dirty.insert(identity) }
        }
    }

    private mutating func noteSharing(of identity: ObjectIdentity) {
        if owners[identity, default: []].count > 1 { shared.insert(identity) } else { shared.remove(identity) }
    }

    private func winner(_ identity: ObjectIdentity) -> Fact? { winningFile(identity)?.entry.fact }

    private func winningFile(_ identity: ObjectIdentity) -> (name: String, entry: Entry)? {
        var kept: (name: String, entry: Entry)?
        for name in owners[identity] ?? [] {
            guard let entry = files[name]?.objects[identity] else { continue }
            if !entry.isKept { return (name, entry) }
            kept = kept ?? (name, entry)
        }
        return kept
    }

    private func duplicateProblems() -> [String: [SourceProblem]] {
        var problems: [String: [SourceProblem]] = [:]
        for identity in shared.sorted() {
            guard let winner = winningFile(identity) else { continue }
            for name in owners[identity] ?? [] where name != winner.name {
                guard let entry = files[name]?.objects[identity], !entry.isKept else { continue }
                problems[name, default: []].append(
                    SourceProblem(
                        file: name, document: entry.document, line: entry.line,
                        problem: ObjectProblem(
                            object: "\(identity)",
                            message: "is defined in \(winner.name):\(winner.entry.line) already, and that is used"),
                        consequence: .leftOut))
            }
        }
        return problems
    }
}

extension DecodedObject.Culprit {
    fileprivate func mayBe(_ identity: ObjectIdentity) -> Bool {
        switch self {
        case .object(let own): own == identity
        case .named(let name): name.name == identity.name.name && (!identity.kind.isNamespaced || name == identity.name)
        case .nameless: true
        }
    }
}
