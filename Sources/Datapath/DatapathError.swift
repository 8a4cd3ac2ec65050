// Why a datapath could not be installed or opened, in sentences for an operator.

package import BPF
import SystemCalls

package enum DatapathError: Error, Sendable {
    /// The kernel refused something; the datapath that was there goes on.
    case kernel(BPFError)
    /// Another agent owns the pin folder.
    case agentIsRunning(pinFolder: String)
    /// The pinned maps follow a contract that this build does not speak.
    case otherContract(found: UInt32, expected: UInt32, pinFolder: String)
    /// Nothing is pinned there.
    case notInstalled(pinFolder: String)
}

extension DatapathError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .kernel(let error): error.description
        case .agentIsRunning(let folder):
            "another martlet agent is using the pin folder \(folder); stop it, or give this one another --pin-folder"
        case .otherContract(let found, let expected, let folder):
            """
            the maps pinned in \(folder) follow contract \(found), this build speaks contract \(expected); traffic goes \
            on as it was. Run the build that wrote them, or take them down with `martlet cleanup --pin-folder \(folder)`
            """
        case .notInstalled(let folder):
            "no datapath is pinned in \(folder); `martlet agent` installs one"
        }
    }
}

/// Runs kernel calls where other errors are possible as well.
func kernel<Result: ~Copyable>(_ body: () throws(BPFError) -> Result) throws(DatapathError) -> Result {
    do {
        return try body()
    } catch {
        throw .kernel(error)
    }
}

extension BPFError {
    /// What a refused system call means for the datapath, in words of its own for what was being done.
    init(_ operation: String, _ cause: SystemError) {
        self.init(operation: operation, object: cause.path ?? "", errno: cause.errno)
    }
}
