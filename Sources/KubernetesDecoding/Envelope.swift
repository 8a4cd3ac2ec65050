// What stands around every protobuf object, list and Status of the API: the bytes `k8s\0`, and an Unknown that names the
// type.

import KubernetesMessages
import SwiftProtobuf

struct Envelope {
    static let magic: [UInt8] = [0x6b, 0x38, 0x73, 0x00]

    var apiVersion: String
    var kind: String
    var raw: [UInt8]

    init(_ bytes: some Collection<UInt8>) throws {
        guard bytes.starts(with: Self.magic) else { throw UnreadableAnswer("an object that does not begin with k8s") }
        let unknown = try WireUnknown(serializedBytes: Array(bytes.dropFirst(Self.magic.count)), options: .lean)
        apiVersion = unknown.typeMeta.apiVersion
        kind = unknown.typeMeta.kind
        raw = Array(unknown.raw)
    }
}
