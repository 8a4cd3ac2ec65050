// The file of --config, read: which of the two kinds it is, and what it decides, is Configuration's.

import ConfigurationFiles
import ManifestSource
import ServiceModel
import SystemCalls

struct ConfigurationFile {
    var path: String

    /// - Throws: `ConfigurationUnusable` with everything that is wrong.
    func read() throws -> AgentConfiguration { try readWithBytes().configuration }

    /// The same, with the content.
    func readWithBytes() throws -> (configuration: AgentConfiguration, bytes: [UInt8]) {
        do {
            let bytes = try WholeFile.bytes(of: path)
            return (try read(bytes), bytes)
        } catch let error as SystemError {
            throw unusable("cannot be read: \(error.reason)")
        }
    }

    /// What this content of the file says.
    func read(_ bytes: [UInt8]) throws -> AgentConfiguration {
        do {
            return try decode(bytes)
        } catch let problem as TextProblem {
            throw unusable((problem.line.map { "line \($0): " } ?? "") + problem.message)
        } catch let error as ConfigurationError {
            throw unusable("\(error)")
        }
    }

    /// A text that only duplicate fields keep from being read is read all the same where they are no mistake.
    private func decode(_ bytes: [UInt8]) throws -> AgentConfiguration {
        do {
            let documents = try YAMLText.parse(bytes)
            guard let document = documents.first, documents.count == 1 else {
                throw unusable("has \(documents.count) documents, not one")
            }
            return try AgentConfiguration.decode(document.value)
        } catch let problem as TextProblem {
            guard let tolerant = YAMLDuplicates(bytes), AgentConfiguration.bearsDuplicates(tolerant.value) else {
                throw problem
            }
            return try AgentConfiguration.decode(tolerant.value, duplicates: tolerant.paths)
        }
    }

    /// What is in the file, once it has been read as a configuration.
    func document() throws -> FieldValue {
        let bytes = try WholeFile.bytes(of: path)
        if let tolerant = YAMLDuplicates(bytes) { return tolerant.value }
        return try YAMLText.parse(bytes).first?.value ?? .null
    }

    private func unusable(_ reason: String) -> ConfigurationUnusable {
        ConfigurationUnusable(file: path, reason: reason)
    }
}

/// The configuration file cannot be used: which, and everything that is wrong with it.
struct ConfigurationUnusable: Error, CustomStringConvertible {
    var file: String
    var reason: String
    var description: String { "\(file): \(reason)" }
}
