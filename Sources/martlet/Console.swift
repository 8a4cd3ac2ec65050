// The one place where commands write: results to standard output, everything else to standard error. Unbuffered, so
// that a reader at the other end of a pipe sees each line when it is there.

import SystemCalls

enum Console {
    /// Text as it is.
    static func show(_ text: String) {
        write(text, to: .output)
    }

    /// One sentence, as a line of its own.
    static func diagnose(_ sentence: String) {
        complain("martlet: \(sentence)\n")
    }

    /// Text as it is, to standard error.
    static func complain(_ text: String) {
        write(text, to: .error)
    }

    /// Gives up when the other end is gone: there is nobody left to tell.
    private static func write(_ text: String, to stream: StandardStream) {
        try? stream.write(text)
    }
}
