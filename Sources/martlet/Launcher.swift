// Runs the command that the arguments name and ends the process: 0 when it is done, 1 when it failed, 2 when the
// arguments make no sense. Help goes to standard output, errors to standard error.

import ArgumentParser
import Glibc

enum Launcher {
    enum Status {
        static let failed: Int32 = 1
        static let usage: Int32 = 2
    }

    /// - Parameter arguments: those of the process unless given.
    @MainActor
    static func run(_ root: any ParsableCommand.Type, _ arguments: [String]? = nil) async -> Never {
        do {
            var command = try root.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            exit(0)
        } catch {
            let code = root.exitCode(for: error)
            let text = root.fullMessage(for: error)
            if !text.isEmpty {
                if code.isSuccess { Console.show(text + "\n") } else { Console.complain(text + "\n") }
            }
            exit(status(of: code))
        }
    }

    /// ArgumentParser ends with 64 (EX_USAGE of sysexits.h) where the contract of the command line says 2.
    static func status(of code: ExitCode) -> Int32 {
        code == .validationFailure ? Status.usage : code.rawValue
    }
}
