// Why the state file of an agent could not be written or read: the system refused, or its content is none.

import SystemCalls

package struct StateFileError: Error, Hashable, Sendable, CustomStringConvertible {
    package var operation: String
    package var path: String
    package var reason: String

    package var description: String { "cannot \(operation) state file \(path): \(reason)" }
}

extension StateFileError {
    init(_ cause: SystemError) {
        self.init(operation: cause.operation, path: cause.path ?? "", reason: cause.reason)
    }
}
