// Objects for the tests of decoding, written as the JSON that users and the API write.

import ServiceModel
import Testing

/// The objects of one JSON text.
func decode(_ json: String) throws -> [DecodedObject] {
    try JSONText.parse(Array(json.utf8)).flatMap { ObjectDecoder.decode(document: $0.value, place: "document 1") }
}

func decodeOne(_ json: String) throws -> DecodedObject {
    let objects = try decode(json)
    try #require(objects.count == 1)
    return objects[0]
}

/// A Service `default/web` with this spec, and more top-level members if given (each with a leading comma).
func service(spec: String, metadata: String = "", more: String = "") throws -> DecodedObject {
    try decodeOne(
        #"{"apiVersion":"v1","kind":"Service","metadata":{"name":"web"\#(metadata)},"spec":\#(spec)\#(more)}"#)
}

/// A slice `default/web-1` of the service `default/web`.
func slice(_ body: String, labels: String = #""kubernetes.io/service-name":"web""#, metadata: String = "") throws
    -> DecodedObject
{
    try decodeOne(
        #"""
        {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice",
         "metadata":{"name":"web-1","labels":{\#(labels)}\#(metadata)},\#(body)}
        """#)
}

extension DecodedObject {
    var service: Service? {
        guard case .fact(.service(let service)) = outcome else { return nil }
        return service
    }

    var slice: EndpointSlice? {
        guard case .fact(.endpointSlice(let slice)) = outcome else { return nil }
        return slice
    }

    /// Problems as `field: message`.
    var complaints: [String] { allProblems.map { "\($0.field): \($0.message)" } }

    var isUnusable: Bool {
        guard case .unusable = outcome else { return false }
        return true
    }
}
