// What became of one input object on its way to a fact.

package struct DecodedObject: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        case fact(Fact)
        /// A sound object of a kind that we read, which is nothing to a proxy (an FQDN slice, a slice without owner):
        /// an earlier fact of this identity is gone.
        case nothing(ObjectIdentity)
        /// The object is wrong, and an earlier fact of whoever it is should stay in force.
        case unusable(Culprit, ObjectProblem)
    }

    /// Who a wrong object is, as far as it says.
    package enum Culprit: Hashable, Sendable {
        case object(ObjectIdentity)
        /// Of a kind that is misspelt, or missing.
        case named(ObjectName)
        /// It may be any.
        case nameless
    }

    package var outcome: Outcome
    /// What was left out of a usable object, and why.
    package var problems: [ObjectProblem]
    /// Place in the List that held the object; nil when the object is a document of its own.
    package var item: Int?

    package init(outcome: Outcome, problems: [ObjectProblem] = []) {
        self.outcome = outcome
        self.problems = problems
    }

    /// Nil when the object does not say clearly who it is.
    package var identity: ObjectIdentity? {
        switch outcome {
        case .fact(let fact): fact.identity
        case .nothing(let identity): identity
        case .unusable(.object(let identity), _): identity
        case .unusable(.named, _), .unusable(.nameless, _): nil
        }
    }

    /// Every problem, the fatal one first.
    package var allProblems: [ObjectProblem] {
        switch outcome {
        case .fact, .nothing: problems
        case .unusable(_, let problem): [problem] + problems
        }
    }
}
