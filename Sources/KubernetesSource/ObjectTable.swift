// Which objects of one kind are known, and what became of them: events go in, changes of facts come out. Facts
// themselves are not kept here; whoever takes the changes has them. The rule for mistakes is that of manifests: what is
// wrong keeps its last good version, what is gone is gone.

package import KubernetesDecoding
package import ServiceModel

package struct ObjectTable: Sendable {
    private struct Entry {
        var resourceVersion: String
        /// A fact of it is in force.
        var hasFact: Bool
    }

    private let selection: Selection
    private var known: [ObjectName: Entry] = [:]
    /// Versions at which objects went, so that an event that comes late does not bring them back; the latest ones only.
    private var gone: [ObjectName: String] = [:]
    private static let goneLimit = 1024
    /// What the list that is being read has had so far; nil outside of lists.
    private var seen: Set<ObjectName>?
    /// Something in that list does not say who it is.
    private var hasNameless = false
    private var objectProblems: [ObjectName: [SourceProblem]] = [:]
    private var namelessProblems: [SourceProblem] = []
    private static let namelessLimit = 16
    /// Problems seen so far, each time that one came.
    package private(set) var problemCount = 0
    /// Set when `problems` may have changed.
    package var problemsChanged = false

    package init(selection: Selection) {
        self.selection = selection
    }

    package var count: Int { known.count }

    /// All that is wrong now, by name.
    package var problems: [SourceProblem] {
        objectProblems.sorted { $0.key < $1.key }.flatMap(\.value) + namelessProblems
    }

    /// A list begins: what it does not have is gone when it ends. It is believed whatever versions it has, since it may
    /// come from a server that was restored from a copy.
    package mutating func beginReplacement() {
        seen = []
        hasNameless = false
        gone = [:]
        if !namelessProblems.isEmpty { problemsChanged = true }
        namelessProblems = []
    }

    /// The object is like this now. Nil when that changes no fact.
    package mutating func put(_ object: KubernetesObject) -> FactChange? {
        guard let name = object.decoded.identity?.name else {
            note(nameless: object.decoded.allProblems)
            return nil
        }
        guard seen != nil || !isLate(object, name) else { return nil }
        seen?.insert(name)
        gone[name] = nil
        let hadFact = known[name]?.hasFact ?? false
        var entry = Entry(resourceVersion: object.resourceVersion, hasFact: false)
        defer { setProblems(of: name, object, hasFact: entry.hasFact) }
        switch object.decoded.outcome {
        case .fact(let fact) where selection.admits(fact):
            entry.hasFact = true
            known[name] = entry
            return fact.change
        case .fact(let fact):
            // The server should not have sent it: it is as if it had said that the object left the selection.
            known[name] = nil
            return hadFact ? fact.identity.deletion : nil
        case .nothing(let identity):
            known[name] = entry
            return hadFact ? identity.deletion : nil
        case .unusable:
            entry.hasFact = hadFact
            known[name] = entry
            return nil
        }
    }

    /// The object is gone. Nil when that changes no fact.
    package mutating func remove(_ object: KubernetesObject) -> FactChange? {
        guard let identity = object.decoded.identity, !isLate(object, identity.name) else { return nil }
        let name = identity.name
        seen?.remove(name)
        if gone.count >= Self.goneLimit { gone = [:] }
        gone[name] = object.resourceVersion
        setProblems(of: name, nil)
        return known.removeValue(forKey: name)?.hasFact == true ? identity.deletion : nil
    }

    /// The list is complete. Returns the deletions that were missed (API-5), ordered by name; none while something in
    /// the list does not say who it is, since that may be the object that is missing.
    package mutating func finishReplacement() -> [FactChange] {
        guard let seen else { return [] }
        self.seen = nil
        var changes: [FactChange] = []
        for name in known.keys.filter({ !seen.contains($0) }).sorted() {
            let identity = ObjectIdentity(kind: selection.kind, name: name)
            guard !hasNameless else {
                let problem = ObjectProblem(
                    object: "\(identity)", message: "is missing, and another object does not say clearly who it is")
                set([SourceProblem(problem: problem, consequence: .lastGoodKept)], of: name)
                continue
            }
            setProblems(of: name, nil)
            if known.removeValue(forKey: name)?.hasFact == true { changes.append(identity.deletion) }
        }
        return changes
    }

    /// Something that is no object at all was where one should be.
    package mutating func note(unreadable reason: String) {
        note(nameless: [ObjectProblem(object: "\(selection.kind.rawValue) of the API server", message: reason)])
    }

    /// An event that was overtaken by a later one.
    private func isLate(_ object: KubernetesObject, _ name: ObjectName) -> Bool {
        guard let last = known[name]?.resourceVersion ?? gone[name] else { return false }
        return ResourceVersion.isOlder(object.resourceVersion, than: last)
    }

    private mutating func note(nameless problems: [ObjectProblem]) {
        hasNameless = true
        problemCount += problems.count
        problemsChanged = true
        guard namelessProblems.count + problems.count <= Self.namelessLimit else { return }
        namelessProblems += problems.map { SourceProblem(problem: $0, consequence: .notUsed) }
    }

    private mutating func setProblems(of name: ObjectName, _ object: KubernetesObject?, hasFact: Bool = false) {
        guard let object, known[name] != nil else {
            set([], of: name)
            return
        }
        let all = object.decoded.allProblems
        guard !all.isEmpty || objectProblems[name] != nil else { return }
        let isFatal: Bool
        switch object.decoded.outcome {
        case .fact, .nothing: isFatal = false
        case .unusable: isFatal = true
        }
        let problems = all.enumerated().map { index, problem in
            let fatal: SourceProblem.Consequence = hasFact ? .lastGoodKept : .notUsed
            return SourceProblem(problem: problem, consequence: isFatal && index == 0 ? fatal : .leftOut)
        }
        if problems != objectProblems[name] { problemCount += problems.count }
        set(problems, of: name)
    }

    private mutating func set(_ problems: [SourceProblem], of name: ObjectName) {
        guard problems != objectProblems[name] ?? [] else { return }
        objectProblems[name] = problems.isEmpty ? nil : problems
        problemsChanged = true
    }
}
