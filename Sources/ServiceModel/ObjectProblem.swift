// Something wrong with one input object, in words that a user can act on.

package struct ObjectProblem: Hashable, Sendable, Error {
    /// `Service default/web`, or the document's place when it has no name.
    package var object: String
    /// Path of the offending field, such as `spec.ports[0].port`; empty when the whole object is meant.
    package var field: String
    /// A sentence: what is wrong and what was done about it.
    package var message: String

    package init(object: String, field: String = "", message: String) {
        self.object = object
        self.field = field
        self.message = message
    }
}

extension ObjectProblem: CustomStringConvertible {
    package var description: String {
        field.isEmpty ? "\(object): \(message)" : "\(object): \(field): \(message)"
    }
}
