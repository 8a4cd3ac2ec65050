// The published schema says what the decoder says: field by field, with values that both accept and values that both refuse.

import ConfigurationFiles
import Foundation
import ServiceModel
import Testing

@Suite("The schema of MartletConfiguration")
struct MartletSchemaTests {
    @Test("is the published file")
    func published() throws {
        let path =
            URL(filePath: #filePath).deletingLastPathComponent().path
            + "/../../deploy/martlet-configuration.schema.json"
        #expect(try String(contentsOfFile: path, encoding: .utf8) == MartletSchema.text, "martlet schema > \(path)")
    }

    /// Documents with one field, or what it needs: JSON members and whether they are right.
    private static let samples: [(field: String, right: [String], wrong: [String])] = [
        ("nodePortAddresses", [#"["10.0.0.0/8"]"#, #"["primary"]"#, "[]", "null"], [#""primary""#, "[1]"]),
        ("localhostNodePorts", ["true", "false"], [#""yes""#, "1"]),
        (
            "detectLocal",
            [
                #"{"clusterCIDRs":["10.0.0.0/8"]}"#, #"{"mode":"NodeCIDR"}"#,
                #"{"mode":"BridgeInterface","bridgeInterface":"cni0"}"#,
                #"{"mode":"InterfaceNamePrefix","interfaceNamePrefix":"veth"}"#, "{}",
            ],
            [
                #"{"mode":"Magic"}"#, #"{"clusterCIDRs":"10.0.0.0/8"}"#, #"{"clusterCIDRs":["10.0.0.1"]}"#,
                #"{"mode":"BridgeInterface","bridgeInterface":"a-name-that-is-too-long"}"#, #"{"moed":"NodeCIDR"}"#,
                #"{"mode":"InterfaceNamePrefix","interfaceNamePrefix":1}"#, "[]",
            ]
        ),
        ("masqueradeAll", ["true"], [#""true""#]),
        ("serviceCIDRs", [#"["10.96.0.0/12","fd00::/108"]"#], [#"["10.96.0.0"]"#, #""10.96.0.0/12""#]),
        ("algorithm", [#""random""#, #""maglev""#], [#""Random""#, "1", #""""#]),
        ("allowServiceExternalIPs", ["false"], ["0"]),
        ("bindAddress", [#""192.0.2.1""#, #""""#], ["1"]),
        ("forwarding", [#""snat""#, #""dsr""#, #""hybrid""#], [#""nat""#]),
        ("clusterIPFromOutside", ["false"], [#""no""#]),
        ("devices", [#"["eth*","!eth1"]"#, #"["none"]"#], [#""auto""#]),
        ("xdp", [#""native""#, #""generic""#, #""off""#], [#""on""#]),
        ("dsrDispatch", [#""ipip""#, #""option""#], [#""gre""#]),
        ("tunnelSources", [#"["198.18.0.0/16"]"#], [#"["198.18.0.0"]"#]),
        ("sourcePorts", [#""40000-50000""#], [#""40000""#, "40000", #""a-b""#]),
        ("pinFolder", [#""/sys/fs/bpf/m""#], [#""m""#]),
        ("cgroup", [#""/sys/fs/cgroup""#], [#""cgroup""#]),
        ("skipCgroups", [#"["/sys/fs/cgroup/mesh"]"#], [#"["mesh"]"#, #""/sys""#]),
        ("terminateTCPConnections", ["true"], [#""on""#]),
        ("bindProtection", ["false"], [#""off""#]),
        (
            "mapSizes",
            [#"{"frontends":1000,"eventBytes":4096}"#]
                + MapSize.allCases.map { #"{"\#($0.rawValue)":65536}"# },
            [#"{"frontends":0}"#, #"{"frontend":1000}"#, #"{"eventBytes":100}"#, #"{"slots":"many"}"#]
                + MapSize.allCases.map { #"{"\#($0.rawValue)":268435457}"# }
        ),
        ("metricsBindAddress", [#""127.0.0.1:9100""#, #""""#], ["9100"]),
        ("healthzBindAddress", [#""[::]:10256""#, #""""#], ["false"]),
        ("bindAddressHardFail", ["true", "false"], [#""true""#]),
        ("logLevel", [#""debug""#, #""critical""#], [#""verbose""#, "4"]),
        ("auditInterval", [#""5m""#, #""0""#, #""1h30m""#], [#""5""#, #""-5m""#, "300", #""""#]),
        ("gracePeriod", [#""1.5s""#], [#""soon""#]),
        ("minSyncPeriod", [#""0s""#, #""100ms""#], [#""1 s""#]),
        ("syncPeriod", [#""30s""#], [#""30x""#]),
    ]

    private static func document(_ field: String, _ value: String) throws -> FieldValue {
        let text =
            #"{"apiVersion":"martlet.dev/v1alpha1","kind":"MartletConfiguration","\#(field)":\#(value)}"#
        return try JSONText.parse(Array(text.utf8))[0].value
    }

    @Test("accepts and refuses what the decoder does, for every field")
    func fields() throws {
        let schema = MartletSchema.document
        for sample in Self.samples {
            for value in sample.right {
                let document = try Self.document(sample.field, value)
                #expect(try SchemaCheck.problems(document, schema) == [], "\(sample.field): \(value)")
                #expect(complaints { try AgentConfiguration.decode(document) } == [], "\(sample.field): \(value)")
            }
            for value in sample.wrong {
                let document = try Self.document(sample.field, value)
                #expect(try SchemaCheck.problems(document, schema) != [], "\(sample.field): \(value)")
                #expect(complaints { try AgentConfiguration.decode(document) } != [], "\(sample.field): \(value)")
            }
        }
    }

    @Test("has the fields that there are samples of, and refuses others, as the decoder does")
    func names() throws {
        guard case .object(let properties)? = MartletSchema.document["properties"] else {
            Issue.record("no properties")
            return
        }
        #expect(Set(properties.keys) == Set(Self.samples.map(\.field)).union(["apiVersion", "kind"]))
        let unknown = try Self.document("nodePortAddress", "[]")
        #expect(try SchemaCheck.problems(unknown, MartletSchema.document) != [])
        #expect(complaints { try AgentConfiguration.decode(unknown) } != [])
        let nothing = FieldValue.object(["kind": .string("MartletConfiguration")])
        #expect(try SchemaCheck.problems(nothing, MartletSchema.document) != [])
        #expect(complaints { try AgentConfiguration.decode(nothing) } != [])
    }
}
