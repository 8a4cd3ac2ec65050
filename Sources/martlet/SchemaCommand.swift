// `martlet schema`.

import ArgumentParser
import ConfigurationFiles

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of MartletConfiguration.",
        discussion: """
            For editors, and for checking a configuration file before it reaches a node. The same schema is in the \
            repository, as deploy/martlet-configuration.schema.json.

            EXAMPLES
              martlet schema > martlet-configuration.schema.json
            """)

    func run() throws { try Console.showAsIs(MartletSchema.text) }
}
