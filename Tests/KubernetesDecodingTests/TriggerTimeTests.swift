// The annotation by which network programming latency is measured, in the two encodings of an API server. Manifests are
// read by the decoder that JSON has.

import KubernetesDecoding
import KubernetesMessages
import ServiceModel
import SwiftProtobuf
import Testing

@Suite("When a slice's change happened")
struct TriggerTimeTests {
    private static let key = "endpoints.kubernetes.io/last-change-trigger-time"

    private static func list(_ encoding: AnswerEncoding) throws -> [UInt8] {
        guard encoding == .protobuf else {
            return Array(
                #"""
                {"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1","metadata":{"resourceVersion":"1"},"items":[
                {"metadata":{"name":"web-1","namespace":"shop","uid":"u-1","labels":{"kubernetes.io/service-name":"web"},
                "annotations":{"\#(key)":"2026-11-21T10:00:00.000000007Z"}},"addressType":"IPv4","endpoints":[]}]}
                """#.utf8)
        }
        var slice = WireEndpointSlice()
        slice.metadata.name = "web-1"
        slice.metadata.namespace = "shop"
        slice.metadata.uid = "u-1"
        slice.metadata.labels = ["kubernetes.io/service-name": "web"]
        slice.metadata.annotations = [key: "2026-11-21T10:00:00.000000007Z"]
        slice.addressType = "IPv4"
        var list = WireEndpointSliceList()
        list.metadata.resourceVersion = "1"
        list.items = [slice]
        var unknown = WireUnknown()
        unknown.typeMeta.apiVersion = "discovery.k8s.io/v1"
        unknown.typeMeta.kind = "EndpointSliceList"
        unknown.raw = try list.serializedBytes()
        return [0x6b, 0x38, 0x73, 0] + (try unknown.serializedBytes() as [UInt8])
    }

    @Test(
        "MET-3: arrives in protobuf and in JSON alike, and so does the uid",
        arguments: [AnswerEncoding.json, .protobuf])
    func arrives(_ encoding: AnswerEncoding) throws {
        var reader = ListReader(kind: .endpointSlice, encoding: encoding)
        let objects = try reader.read(try Self.list(encoding))
        _ = try reader.finish()
        let object = try #require(objects.first)
        guard case .fact(.endpointSlice(let slice)) = object.decoded.outcome else {
            Issue.record("\(object)")
            return
        }
        #expect(slice.triggerTimeNanoseconds == 1_795_255_200_000_000_007)
        #expect(object.uid == "u-1")
        #expect(object.decoded.problems.isEmpty)
    }
}
