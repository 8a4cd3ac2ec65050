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
        try ConfigurationUnusable.naming(path) {
            let bytes = try WholeFile.bytes(of: path)
            return (try decode(bytes), bytes)
        }
    }

    /// What this content of the file says.
    func read(_ bytes: [UInt8]) throws -> AgentConfiguration {
        try ConfigurationUnusable.naming(path) { try decode(bytes) }
    }

    /// A text that only duplicate fields keep from being read is read all the same where they are no mistake.
    private func decode(_ bytes: [UInt8]) throws -> AgentConfiguration {
        do {
            return try AgentConfiguration.decode(try OneDocument.parse(bytes, file: path))
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
}

/// The configuration file cannot be used: which, and everything that is wrong with it.
struct ConfigurationUnusable: Error, CustomStringConvertible {
    var file: String
    var reason: String
    var description: String { "\(file): \(reason)" }

    /// Puts the file's name and words for its user on what reading it throws.
    static func naming<Contents>(_ file: String, _ read: () throws -> Contents) throws -> Contents {
        do {
            return try read()
        } catch let problem as TextProblem {
            throw Self(file: file, reason: (problem.line.map { "line \($0): " } ?? "") + problem.message)
        } catch let problem as FieldProblem {
            throw Self(file: file, reason: (problem.field.isEmpty ? "" : "\(problem.field): ") + problem.message)
        } catch let error as ConfigurationError {
            throw Self(file: file, reason: "\(error)")
        } catch let error as SystemError {
            throw Self(file: file, reason: "cannot be read: \(error.reason)")
        }
    }
}

/// A file that is one document.
enum OneDocument {
    static func parse(_ bytes: [UInt8], file: String) throws -> FieldValue {
        let documents = try YAMLText.parse(bytes)
        guard let document = documents.first, documents.count == 1 else {
            throw ConfigurationUnusable(file: file, reason: "has \(documents.count) documents, not one")
        }
        return document.value
    }
}
