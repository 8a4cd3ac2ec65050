// How a command shows what it found: the options that every inspecting command has. Writing is Console's.

import ArgumentParser
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
        guard !quiet else { return try Console.show(listing.identifiers) }
        switch format.output {
        case .table: try Console.show(listing.table)
        case .json: try Console.show(listing.json())
        }
    }
}
