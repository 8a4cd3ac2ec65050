// Where a benchmark ran: without it a figure means nothing.

import HostCalls

/// The machine, as the kernel describes it, and how the program was called.
package struct Machine: Codable, Sendable {
    package let kernel: String
    package let processor: String
    package let processors: Int
    /// Of the last minute, when the benchmark began: other work makes noise.
    package let load: String
    package let command: String

    package static func here(command: [String]) -> Machine {
        let information = (try? readText("/proc/cpuinfo")) ?? ""
        let rows = information.split(separator: "\n")
        let model = rows.first { $0.hasPrefix("model name") }?.split(separator: ":").last.map(String.init)
        return Machine(
            kernel: trimmed(try? readText("/proc/sys/kernel/osrelease")),
            processor: trimmed(model),
            processors: rows.filter { $0.hasPrefix("processor") }.count,
            load: ((try? readText("/proc/loadavg")) ?? "unknown").split(separator: " ").first.map(String.init) ?? "",
            command: command.joined(separator: " "))
    }

    /// One line for the top of a table.
    package var line: String {
        "Linux \(kernel), \(processors) x \(processor), load \(load)\n\(command)"
    }

    private static func trimmed(_ text: String?) -> String {
        var text = text ?? "unknown"
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text.drop { $0.isWhitespace })
    }
}
