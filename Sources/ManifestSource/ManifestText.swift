// The bytes of a manifest file as objects: JSON where it can be (fast, and strict), YAML otherwise. Every object knows
// the document and line that it came from; what any of them means is ServiceModel's business. A YAML document that
// cannot be parsed is an object that does not say who it is.

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
    /// Reads a whole file. Files of comments only hold no objects; one without anything is what a writer that failed
    /// leaves behind, and means nothing. `name` decides the format where its ending is .json; other text that begins
    /// like JSON is tried as JSON first.
    package static func parse(_ bytes: [UInt8], name: String, limits: TextLimits = TextLimits()) -> ManifestContent {
        let bytes = Array(bytes.withoutByteOrderMark)
        guard !bytes.allSatisfy(isWhiteSpace) else { return .unreadable(TextProblem("is empty: it holds no object")) }
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
        let first = bytes.first { !isWhiteSpace($0) }
        return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    }

    private static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
            || byte == UInt8(ascii: "\r")
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
        do throws(TextProblem) {
            try YAMLText.forEachDocument(in: bytes, limits: limits) { document in
                number += 1
                objects += self.objects(in: document, number)
            }
            return objects
        } catch {
            guard bytes.count <= limits.bytes, let parts = YAMLParts.split(bytes), parts.count > 1 else { throw error }
            return self.objects(in: parts, limits: limits)
        }
    }

    /// What can be read of a file that has a slip somewhere.
    private static func objects(in parts: [YAMLPart], limits: TextLimits) -> [ManifestObject] {
        var objects: [ManifestObject] = []
        var number = 0
        var budget = limits.values
        for part in parts {
            var documents: [[ManifestObject]] = []
            do throws(TextProblem) {
                try YAMLText.read(part, depth: limits.depth, budget: &budget) { document in
                    documents.append(self.objects(in: document, number + documents.count + 1))
                }
            } catch {
                documents = [[unreadable(number + 1, error, in: part)]]
            }
            number += documents.count
            objects += documents.joined()
        }
        return objects
    }

    private static func objects(in document: YAMLDocument, _ number: Int) -> [ManifestObject] {
        ObjectDecoder.decode(document: document.value, place: "document \(number)").map { object in
            let item = object.item.map { "items[\($0)]." } ?? ""
            return ManifestObject(
                decoded: object, document: number, line: document.line(of: item),
                problemLines: object.allProblems.map { document.line(of: item + $0.field) })
        }
    }

    private static func unreadable(_ number: Int, _ problem: TextProblem, in part: YAMLPart) -> ManifestObject {
        let line = problem.line ?? part.firstLine
        let object = ObjectProblem(object: "document \(number)", message: problem.message)
        return ManifestObject(
            decoded: DecodedObject(outcome: .unusable(.nameless, object)), document: number, line: line,
            problemLines: [line])
    }
}
