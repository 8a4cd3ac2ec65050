// The one place where commands write: results to standard output, everything else to standard error. Unbuffered, so
// that a reader at the other end of a pipe sees each line when it is there. Control characters of names and other texts
// of users are made visible here.

import ArgumentParser
import Glibc
import SystemCalls
import Telemetry

enum Console {
    /// A result, of one line or several.
    ///
    /// - Throws: `OutputFailure` when it cannot be written; when the reader is gone, what ends the process in silence.
    static func show(_ text: String) throws {
        try showAsIs(text.visible(keepsLines: true))
    }

    /// The same for text of our own, such as a shell's completion script.
    static func showAsIs(_ text: String) throws {
        try showAsIs(Array(text.utf8))
    }

    /// The same for bytes that are no text.
    static func showAsIs(_ bytes: [UInt8]) throws {
        do throws(SystemError) {
            try StandardStream.output.write(bytes)
        } catch {
            guard error.errno != EPIPE else { throw ExitCode(Launcher.Status.failed) }
            throw OutputFailure(cause: error)
        }
    }

    /// One sentence, as a line of its own.
    static func diagnose(_ sentence: String) {
        complain("martlet: \(sentence.visible())\n")
    }

    /// Text of one line or several, to standard error. Gives up when that cannot be written: there is nobody left to
    /// tell.
    static func complain(_ text: String) {
        try? StandardStream.error.write(text.visible(keepsLines: true))
    }
}

/// What was asked for could not be handed over.
struct OutputFailure: Error, CustomStringConvertible {
    var cause: SystemError
    var description: String { "\(cause)" }
}
