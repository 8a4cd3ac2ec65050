// martlet-kernels: what a kernel's verifier says of every program, with every set of constants that the agent uses, and how
// kernels compare. conformance/Kernels/run starts it on Debian's kernels in virtual machines.

import ArgumentParser
import FoundationEssentials
import HostCalls

@main
struct KernelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet-kernels",
        abstract: "Has the kernel verify every program, and counts what that takes.",
        subcommands: [Examine.self, Table.self])
}

struct Examine: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Load every program into this kernel, in every configuration, and print what came of it as JSON.",
        discussion: "Nothing is attached or pinned. Exit status: 1 when a program was refused or is near the limit.")

    func run() throws {
        let examination = try Examination.here()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        print(String(decoding: try encoder.encode(examination), as: UTF8.self))
        guard examination.complaints.isEmpty else { throw ExitCode.failure }
    }
}

struct Table: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare what `examine` printed on several kernels, as a Markdown table.",
        discussion: "Exit status: 1 when a program was refused or is near the limit; standard error says which.")

    @Argument(help: "Files with the output of `examine`.")
    var files: [String]

    func validate() throws {
        guard !files.isEmpty else { throw ValidationError("name at least one file") }
    }

    func run() throws {
        let examinations = try files.map { file in
            try JSONDecoder().decode(Examination.self, from: Data(try readText(file).utf8))
        }
        print(KernelTable(examinations).markdown)
        let complaints = examinations.flatMap(\.complaints)
        guard complaints.isEmpty else { throw Complaints(all: complaints) }
    }
}

/// Printed to standard error.
private struct Complaints: Error, CustomStringConvertible {
    let all: [String]
    var description: String { all.joined(separator: "\n") }
}
