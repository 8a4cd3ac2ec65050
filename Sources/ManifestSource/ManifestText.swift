// The bytes of a manifest file as objects: JSON where it can be (fast, and strict), YAML otherwise. Every object knows
// the document and line that it came from; what any of them means is ServiceModel's business.

package import ServiceModel

/// An object of a manifest file.
package struct ManifestObject: Hashable, Sendable {
    package var decoded: DecodedObject
    package var document: Int
    package var line: Int
    /// The line of each of `decoded.allProblems`, in that order.
    package var problemLines: [Int]
}

/// What a file holds, or why it cannot be read as a whole.
package enum ManifestContent: Hashable, Sendable {
    case objects([ManifestObject])
    case unreadable(TextProblem)
}

package enum ManifestText {
    /// Reads a whole file. Empty files, and files of comments only, hold no objects. `name` decides the format where
    /// its ending is .json; other text that begins like JSON is tried as JSON first.
    package static func parse(_ bytes: [UInt8], name: String, limits: TextLimits = TextLimits()) -> ManifestContent {
        do {
            if name.hasSuffix(".json") { return .objects(objects(inJSON: try JSONText.parse(bytes, limits: limits))) }
            if beginsLikeJSON(bytes), let documents = try? JSONText.parse(bytes, limits: limits) {
                return .objects(objects(inJSON: documents))
            }
            return .objects(try objects(inYAML: bytes, limits: limits))
        } catch {
            return .unreadable(error)
        }
    }

    private static func beginsLikeJSON(_ bytes: [UInt8]) -> Bool {
        let first = bytes.first { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    }

    private static func objects(inJSON documents: [(line: Int, value: FieldValue)]) -> [ManifestObject] {
        documents.enumerated().flatMap { index, document in
            ObjectDecoder.decode(document: document.value, place: "document \(index + 1)").map { object in
                ManifestObject(
                    decoded: object, document: index + 1, line: document.line,
                    problemLines: object.allProblems.map { _ in document.line })
            }
        }
    }

    private static func objects(inYAML bytes: [UInt8], limits: TextLimits) throws(TextProblem) -> [ManifestObject] {
        var objects: [ManifestObject] = []
        var number = 0
        try YAMLText.forEachDocument(in: bytes, limits: limits) { document in
            number += 1
            for object in ObjectDecoder.decode(document: document.value, place: "document \(number)") {
                let item = object.item.map { "items[\($0)]." } ?? ""
                objects.append(
                    ManifestObject(
                        decoded: object, document: number, line: document.line(of: item),
                        problemLines: object.allProblems.map { document.line(of: item + $0.field) }))
            }
        }
        return objects
    }
}
