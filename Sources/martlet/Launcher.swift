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
            try checkHelp(root, arguments ?? Array(CommandLine.arguments.dropFirst()))
            var command = try root.parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            exit(0)
        } catch {
            exit(end(of: root, with: error))
        }
    }

    /// ArgumentParser answers `help nosuch` with the help of the root.
    private static func checkHelp(_ root: any ParsableCommand.Type, _ arguments: [String]) throws {
        let known = root.configuration.subcommands.map { $0.configuration.commandName ?? "" } + ["help"]
        guard arguments.first == "help", let name = arguments.dropFirst().first(where: { !$0.hasPrefix("-") }),
            !known.contains(name)
        else { return }
        throw ValidationError("'\(name)' is not a command; 'martlet --help' lists them.")
    }

    /// Says what there is to say: ArgumentParser throws help and completion scripts as well.
    private static func end(of root: any ParsableCommand.Type, with error: any Error) -> Int32 {
        let code = root.exitCode(for: error)
        let text = root.fullMessage(for: error)
        if !code.isSuccess {
            if !text.isEmpty { Console.complain(text + "\n") }
            return status(of: code)
        }
        do {
            if !text.isEmpty { try Console.showAsIs(text + "\n") }
            return 0
        } catch {
            if error is OutputFailure { Console.complain("Error: \(error)\n") }
            return Status.failed
        }
    }

    /// ArgumentParser ends with 64 (EX_USAGE of sysexits.h) where the contract of the command line says 2.
    static func status(of code: ExitCode) -> Int32 {
        code == .validationFailure ? Status.usage : code.rawValue
    }
}
