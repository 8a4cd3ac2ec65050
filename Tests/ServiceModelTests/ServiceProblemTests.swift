// Services that are wrong: what is skipped and what makes the object unusable, and the exact words.

import NetworkTypes
import ServiceModel
import Testing

@Suite struct ServiceProblemTests {
    struct Row: Sendable {
        /// Members of the spec, besides clusterIP and ports unless these are given.
        var spec: String
        var complaint: String
    }

    private func decodeRow(_ row: Row) throws -> DecodedObject {
        var spec = row.spec
        if !spec.contains("clusterIP") { spec += #","clusterIP":"10.0.0.1""# }
        if !spec.contains("\"ports\"") { spec += #","ports":[{"port":80}]"# }
        return try service(spec: "{\(spec)}")
    }

    @Test(
        "INV-8: these make the Service unusable, and the complaint names the field",
        arguments: [
            Row(spec: #""ports":[{"port":70000}]"#, complaint: "spec.ports[0].port: 70000 is not a port (1…65535)"),
            Row(
                spec: #""ports":[{"port":1},{"port":-1}]"#, complaint: "spec.ports[1].port: -1 is not a port (1…65535)"),
            Row(spec: #""ports":[{"port":0}]"#, complaint: "spec.ports[0].port: 0 is not a port (1…65535)"),
            Row(spec: #""ports":[{"name":"a"}]"#, complaint: "spec.ports[0].port: is missing"),
            Row(
                spec: #""ports":[{"port":"80"}]"#,
                complaint: #"spec.ports[0].port: "80" is not a whole number: write it without quotes"#),
            Row(spec: #""ports":[{"port":80.0}]"#, complaint: "spec.ports[0].port: 80.0 is not a whole number"),
            Row(
                spec: #""ports":[{"port":80,"nodePort":65536}]"#,
                complaint: "spec.ports[0].nodePort: 65536 is not a port (1…65535)"),
            Row(spec: #""ports":{"port":80}"#, complaint: "spec.ports: an object is not a list"),
            Row(spec: #""ports":[80]"#, complaint: "spec.ports[0]: 80 is not an object"),
            Row(
                spec: #""ports":[{"port":80,"name":80}]"#,
                complaint: "spec.ports[0].name: 80 is not a string: put it in quotes"),
            Row(
                spec: #""ports":[{"name":"a b","port":80}]"#,
                complaint: #"spec.ports[0].name: "a b" is not a name: use lower-case letters, digits, '-' and '.'"#),
            Row(spec: #""clusterIP":"bogus""#, complaint: #"spec.clusterIP: "bogus" is not an IP address"#),
            Row(
                spec: #""clusterIP":"127.0.0.1""#,
                complaint: "spec.clusterIP: 127.0.0.1 is not the address of a host that others can reach"),
            Row(
                spec: #""clusterIPs":["10.0.0.1","ff02::1"],"ipFamilies":["IPv4","IPv6"]"#,
                complaint: "spec.clusterIPs[1]: ff02::1 is not the address of a host that others can reach"),
            Row(
                spec: #""clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1","x"],"ipFamilies":["IPv4","IPv6"]"#,
                complaint: #"spec.clusterIPs[1]: "x" is not an IP address"#),
            Row(spec: #""ipFamilies":["IPv5"]"#, complaint: #"spec.ipFamilies[0]: "IPv5" is neither IPv4 nor IPv6"#),
            Row(
                spec: #""type":"Loadbalancer""#,
                complaint: #"spec.type: "Loadbalancer" is none of ClusterIP, NodePort, LoadBalancer and ExternalName"#),
            Row(spec: #""externalIPs":"192.0.2.1""#, complaint: #"spec.externalIPs: "192.0.2.1" is not a list"#),
            Row(spec: #""externalIPs":[1]"#, complaint: "spec.externalIPs[0]: 1 is not a string: put it in quotes"),
            Row(
                spec: #""sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":"10"}}"#,
                complaint:
                    #"spec.sessionAffinityConfig.clientIP.timeoutSeconds: "10" is not a whole number: write it without quotes"#
            ),
            Row(
                spec: #""healthCheckNodePort":100000"#,
                complaint: "spec.healthCheckNodePort: 100000 is not a port (1…65535)"),
        ])
    func fatal(_ row: Row) throws {
        let decoded = try decodeRow(row)
        #expect(decoded.isUnusable)
        #expect(decoded.complaints.first == row.complaint)
        #expect(decoded.identity?.description == "Service default/web")
    }

    @Test(
        "these are skipped or replaced, and reported",
        arguments: [
            Row(
                spec: #""externalIPs":["x"]"#,
                complaint: #"spec.externalIPs[0]: "x" is not an IP address; it is skipped"#),
            Row(
                spec: #""loadBalancerSourceRanges":["bogus"]"#,
                complaint:
                    #"spec.loadBalancerSourceRanges[0]: "bogus" is not a CIDR (such as 192.0.2.0/24); it is skipped"#),
            Row(
                spec: #""ports":[{"port":80,"protocol":"tcp"}, {"port":81}]"#,
                complaint: #"spec.ports[0].protocol: "tcp" is none of TCP, UDP and SCTP; this port is skipped"#),
            Row(
                spec: #""ports":[{"name":"a","port":80},{"name":"a","port":81}]"#,
                complaint:
                    #"spec.ports[1].name: "a" is the name of an earlier TCP port as well; this port is skipped"#),
            Row(
                spec: #""ports":[{"port":80},{"port":81}]"#,
                complaint: #"spec.ports[1].name: "" is the name of an earlier TCP port as well; this port is skipped"#),
            Row(
                spec: #""ports":[{"name":"a","port":80},{"name":"b","port":80}]"#,
                complaint: "spec.ports[1].port: 80/TCP is an earlier port as well; this port is skipped"),
            Row(
                spec: #""sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":0}}"#,
                complaint:
                    "spec.sessionAffinityConfig.clientIP.timeoutSeconds: 0 is not within 1…86400; 10800 is used instead"
            ),
            Row(
                spec: #""sessionAffinity":"clientIP""#,
                complaint: #"spec.sessionAffinity: "clientIP" is neither None nor ClientIP; it counts as None"#),
            Row(
                spec: #""externalTrafficPolicy":"local""#,
                complaint: #"spec.externalTrafficPolicy: "local" is neither Cluster nor Local; it counts as Cluster"#),
            Row(spec: #""ports":[]"#, complaint: "spec.ports: is empty; nothing is served for this Service"),
            Row(
                spec: #""clusterIP":"""#,
                complaint: "spec.clusterIP: is not set; nothing is served for this Service (SVC-7)"),
            Row(
                spec: #""clusterIP":"10.0.0.1","ipFamilies":["IPv6"]"#,
                complaint:
                    "spec.clusterIPs[0]: 10.0.0.1 is not of the family IPv6 in ipFamilies[0]; the Service has no IPv6"),
        ])
    func skipped(_ row: Row) throws {
        let decoded = try decodeRow(row)
        #expect(!decoded.isUnusable)
        #expect(decoded.complaints == [row.complaint])
    }

    @Test("INV-2: blank ExternalIPs are skipped in silence, the good ones stay")
    func blankExternalIP() throws {
        let decoded = try service(
            spec: #"{"clusterIP":"10.0.0.1","ports":[{"port":80}],"externalIPs":[""," ","192.0.2.1","192.0.2.01"]}"#)
        #expect(decoded.service?.externalIPs.map(\.description) == ["192.0.2.1"])
        #expect(decoded.complaints == [])
    }

    struct Affinity: Sendable {
        var config: String
        var seconds: UInt32?
    }

    @Test(
        "AFF-3, INV-6: affinity timeouts",
        arguments: [
            Affinity(config: #""sessionAffinity":"None""#, seconds: nil),
            Affinity(config: #""sessionAffinity":"ClientIP""#, seconds: 10800),
            Affinity(config: #""sessionAffinity":"ClientIP","sessionAffinityConfig":null"#, seconds: 10800),
            Affinity(
                config: #""sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":null}"#, seconds: 10800),
            Affinity(
                config: #""sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":86400}}"#,
                seconds: 86400),
            Affinity(
                config: #""sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":86401}}"#,
                seconds: 10800),
            Affinity(config: #""sessionAffinityConfig":{"clientIP":{"timeoutSeconds":60}}"#, seconds: nil),
        ])
    func affinity(_ row: Affinity) throws {
        let decoded = try service(spec: #"{"clusterIP":"10.0.0.1","ports":[{"port":80}],\#(row.config)}"#)
        #expect(try #require(decoded.service).sessionAffinitySeconds == row.seconds)
    }

    @Test(
        "names longer than the datapath's records, or with foreign characters, are refused",
        arguments: [
            String(repeating: "a", count: 64), "a/b", "a b", "a\\u0000b", "a\\nb", "ü",
        ])
    func badNames(_ name: String) throws {
        let decoded = try decodeOne(
            #"{"apiVersion":"v1","kind":"Service","metadata":{"name":"\#(name)"},"spec":{"clusterIP":"None"}}"#)
        #expect(decoded.isUnusable)
        #expect(decoded.complaints.first?.hasPrefix("metadata.name: ") == true)
    }

    private static let nowhere = [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "255.255.255.255", "224.0.0.1", "239.1.1.1", "::1", "::", "ff02::1",
        "::ffff:127.0.0.1",
    ]

    @Test(
        "INV-8: an address that no service can have is refused as ClusterIP",
        arguments: nowhere + ["169.254.1.1", "fe80::1"])
    func impossibleClusterIP(_ address: String) throws {
        let decoded = try service(spec: #"{"clusterIP":"\#(address)","ports":[{"port":80}]}"#)
        #expect(decoded.isUnusable)
        #expect(decoded.complaints.first?.hasSuffix("is not the address of a host that others can reach") == true)
    }

    @Test(
        "INV-2: an ExternalIP that no service can have is skipped and reported, as ValidateNonSpecialIP has it",
        arguments: nowhere + ["169.254.1.1", "fe80::1"])
    func impossibleExternalIP(_ address: String) throws {
        let decoded = try service(
            spec: #"{"clusterIP":"10.0.0.1","ports":[{"port":80}],"externalIPs":["\#(address)","192.0.2.1"]}"#)
        #expect(decoded.service?.externalIPs.map(\.description) == ["192.0.2.1"])
        #expect(decoded.complaints.first?.hasPrefix("spec.externalIPs[0]: ") == true)
    }

    @Test("a load balancer's address is skipped where it cannot work; a link-local one can", arguments: nowhere)
    func impossibleIngress(_ address: String) throws {
        let decoded = try decodeOne(
            #"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},
             "spec":{"clusterIP":"10.0.0.1","ports":[{"port":80}]},
             "status":{"loadBalancer":{"ingress":[{"ip":"\#(address)"},{"ip":"169.254.1.1"},{"ip":"fe80::1"}]}}}
            """#)
        #expect(decoded.service?.loadBalancerIPs.map(\.description) == ["169.254.1.1", "fe80::1"])
        #expect(decoded.complaints.first?.hasPrefix("status.loadBalancer.ingress[0].ip: ") == true)
    }

    @Test(
        "a name that Kubernetes would not allow is reported, and used",
        arguments: ["Upper_Case", "UPPER", "a_b", "a.b", "-a", "a-"])
    func oddNames(_ name: String) throws {
        let decoded = try decodeOne(
            #"{"apiVersion":"v1","kind":"Service","metadata":{"name":"\#(name)"},"spec":{"clusterIP":"None"}}"#)
        #expect(decoded.service?.name.name == name)
        #expect(decoded.complaints.first?.hasPrefix("metadata.name: \"\(name)\" is no name in Kubernetes") == true)
    }

    @Test("INV-9: a name may begin with a digit, and names of other kinds have dots")
    func soundNames() throws {
        let decoded = try decodeOne(
            #"{"apiVersion":"v1","kind":"Service","metadata":{"name":"1a-b"},"spec":{"clusterIP":"None"}}"#)
        #expect(decoded.complaints == [])
        let node = try decodeOne(#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1.example.org"}}"#)
        #expect(node.complaints == [])
    }

    @Test("the longest names fit")
    func longNames() throws {
        let name = String(repeating: "a", count: 63)
        let decoded = try decodeOne(
            #"""
            {"apiVersion":"v1","kind":"Service","metadata":{"namespace":"\#(name)","name":"\#(name)"},
             "spec":{"clusterIP":"10.0.0.1","ports":[{"name":"\#(name)","port":80}]}}
            """#)
        #expect(decoded.service?.ports.first?.name == name)
    }

    @Test("an odd annotation or creation time is ignored and reported")
    func metadata() throws {
        let decoded = try service(
            spec: #"{"clusterIP":"10.0.0.1","ports":[{"port":80}]}"#,
            metadata: #"""
                ,"creationTimestamp":"yesterday",
                "annotations":{"martlet.dev/algorithm":"roundrobin","martlet.dev/source-ranges-policy":"Deny"}
                """#)
        #expect(decoded.service?.algorithm == nil && decoded.service?.sourceRangesPolicy == .allow)
        #expect(decoded.service?.creationTime == nil)
        #expect(
            decoded.complaints == [
                #"metadata.creationTimestamp: "yesterday" is not an RFC 3339 time; it is ignored"#,
                #"metadata.annotations[martlet.dev/algorithm]: "roundrobin" is neither random nor maglev; it is ignored"#,
                #"metadata.annotations[martlet.dev/source-ranges-policy]: "Deny" is neither allow nor deny; it is ignored"#,
            ])
    }
}
