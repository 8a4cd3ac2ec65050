// libbpf's messages, caught instead of printed. libbpf has one print callback per process and no context argument, so
// this file holds the library's only process-wide state: a table of the threads that are listening right now.

import CLibBPF
import Glibc
import Synchronization

/// Catches what libbpf prints while a call runs on this thread.
enum LibbpfMessages {
    /// What was caught so far, by thread; threads that do not listen have no entry, and their messages are dropped.
    private static let listeners = Mutex<[pthread_t: String]>([:])

    /// More than this much of a message is cut from its front: a verifier log can have megabytes, and its end matters.
    static let tailLength = 6000

    /// Runs one call into libbpf and returns its result with everything that libbpf said meanwhile, above debug level.
    static func catching<Result>(_ body: () -> Result) -> (result: Result, messages: String) {
        let thread = pthread_self()
        install()
        listeners.withLock { $0[thread] = "" }
        let result = body()
        let messages = listeners.withLock { $0.removeValue(forKey: thread) } ?? ""
        return (result, tail(of: messages))
    }

    /// Replaces libbpf's default of printing to stderr. Doing it again changes nothing.
    static func install() {
        _ = unsafe libbpf_set_print { level, format, arguments in
            guard level != LIBBPF_DEBUG, let format = unsafe format, let arguments = unsafe arguments else { return 0 }
            var text: UnsafeMutablePointer<CChar>?
            guard unsafe vasprintf(&text, format, arguments) >= 0, let text = unsafe text else { return 0 }
            LibbpfMessages.receive(unsafe String(cString: text))
            unsafe free(text)
            return 0
        }
    }

    private static func receive(_ message: String) {
        let thread = pthread_self()
        let text = message.hasPrefix("libbpf: ") ? String(message.dropFirst("libbpf: ".count)) : message
        listeners.withLock { $0[thread]?.append(text) }
    }

    /// The last lines, without the blank at the end.
    static func tail(of text: String) -> String {
        var bytes = text.utf8[...]
        while bytes.last == UInt8(ascii: "\n") { bytes = bytes.dropLast() }
        guard bytes.count > tailLength else { return String(Substring(bytes)) }
        bytes = bytes.suffix(tailLength)
        return "… " + String(Substring(bytes.drop { $0 != UInt8(ascii: "\n") }.dropFirst()))
    }
}
