// How a command shows what it found: the options that every inspecting command has, and the one place that writes to
// standard output.

import ArgumentParser
import Glibc
import Inspection

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table
    case json
}

struct OutputOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "How to print: 'table' for people, 'json' for programs.")
    var output = OutputFormat.table
}

struct ListOptions: ParsableArguments {
    @OptionGroup var format: OutputOptions

    @Flag(name: [.short, .long], help: "Print identifiers only, one a line.")
    var quiet = false

    func validate() throws {
        guard !quiet || format.output == .table else {
            throw ValidationError("--quiet prints identifiers, and --output json prints everything; choose one.")
        }
    }

    func show(_ listing: some Listing) throws {
        guard !quiet else { return Console.show(listing.identifiers) }
        switch format.output {
        case .table: Console.show(listing.table)
        case .json: Console.show(try listing.json())
        }
    }
}

/// Results go to standard output, everything else to standard error.
enum Console {
    static func show(_ text: String) {
        print(text, terminator: "")
    }

    static func diagnose(_ sentence: String) {
        let line = Array("martlet: \(sentence)\n".utf8)
        _ = unsafe write(STDERR_FILENO, line, line.count)
    }
}
