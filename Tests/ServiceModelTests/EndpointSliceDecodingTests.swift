// EndpointSlices: which entries count, and which are left out.

import NetworkTypes
import ServiceModel
import Testing

@Suite struct EndpointSliceDecodingTests {
    @Test("every field of a slice that a proxy reads arrives")
    func everything() throws {
        let decoded = try slice(
            #"""
            "addressType":"IPv4","ports":[{"name":"http","port":8080,"protocol":"TCP"}],
            "endpoints":[{"addresses":["10.0.1.2"],"nodeName":"n1","zone":"z",
              "conditions":{"ready":false,"serving":true,"terminating":true},
              "hints":{"forZones":[{"name":"a"},{"name":"b"}],"forNodes":[{"name":"n1"}]}}]
            """#, metadata: #","annotations":{"martlet.dev/weight":"5"}"#)
        let name = ObjectName(namespace: "default", name: "web")
        #expect(
            decoded.slice
                == EndpointSlice(
                    name: ObjectName(namespace: "default", name: "web-1"), service: name, family: .ipv4,
                    ports: [SlicePort(name: "http", port: 8080)],
                    endpoints: [
                        Endpoint(
                            address: try ip("10.0.1.2"), nodeName: "n1", isReady: false, isServing: true,
                            isTerminating: true, zoneHints: ["a", "b"], nodeHints: ["n1"])
                    ], weight: 5))
        #expect(decoded.complaints == [])
    }

    @Test(
        "EP-9: unset conditions are ready, serving, not terminating",
        arguments: [
            "", #","conditions":null"#, #","conditions":{}"#, #","conditions":{"ready":null,"serving":null}"#,
        ])
    func conditions(_ text: String) throws {
        let decoded = try slice(#""addressType":"IPv4","endpoints":[{"addresses":["10.0.1.2"]\#(text)}]"#)
        #expect(decoded.slice?.endpoints == [Endpoint(address: try ip("10.0.1.2"))])
    }

    @Test("MET-3: the moment of the last change is read; what is wrong with it costs the slice nothing")
    func triggerTime() throws {
        let key = "endpoints.kubernetes.io/last-change-trigger-time"
        func read(_ value: String) throws -> DecodedObject {
            try slice(#""addressType":"IPv4""#, metadata: #","annotations":{"\#(key)":\#(value)}"#)
        }
        let good = try read(#""2026-11-21T10:00:00.25Z""#)
        #expect(good.slice?.triggerTimeNanoseconds == 1_795_255_200_250_000_000)
        #expect(good.complaints == [])
        for value in [#""soon""#, #""""#, "5"] {
            let bad = try read(value)
            #expect(bad.slice != nil && bad.slice?.triggerTimeNanoseconds == nil)
            #expect(bad.complaints.count == 1 && bad.complaints.allSatisfy { $0.contains(key) }, "\(bad.complaints)")
        }
    }

    @Test("EP-10: an empty nodeName is none")
    func emptyNodeName() throws {
        let decoded = try slice(#""addressType":"IPv4","endpoints":[{"addresses":["10.0.1.2"],"nodeName":""}]"#)
        #expect(try #require(decoded.slice?.endpoints.first).nodeName == nil)
    }

    @Test("EP-8: only the first address counts")
    func firstAddress() throws {
        let decoded = try slice(#""addressType":"IPv4","endpoints":[{"addresses":["10.0.1.2","10.0.1.3"]}]"#)
        #expect(decoded.slice?.endpoints.map(\.address.description) == ["10.0.1.2"])
    }

    @Test("EP-20: addresses are in canonical form")
    func canonical() throws {
        let decoded = try slice(#""addressType":"IPv6","endpoints":[{"addresses":["fd00:0:0::1"]}]"#)
        #expect(decoded.slice?.endpoints.map(\.address.description) == ["fd00::1"])
    }

    @Test("EP-6: ports with a null name or no number are skipped, a name that is not there is the empty one")
    func ports() throws {
        let decoded = try slice(
            #"""
            "addressType":"IPv4","ports":[{"name":null,"port":80},{"name":"","port":81},{"port":82},{"name":"a"},
            {"name":"b","port":null},{"name":"c","port":0},{"name":"d","port":83,"protocol":null},
            {"name":"e","port":84,"protocol":"UDP"}]
            """#)
        #expect(
            decoded.slice?.ports == [
                SlicePort(port: 81), SlicePort(port: 82), SlicePort(name: "d", port: 83),
                SlicePort(name: "e", protocol: .udp, port: 84),
            ])
        #expect(decoded.complaints == [])
    }

    struct Skip: Sendable {
        var endpoint: String
        var complaint: String
    }

    @Test(
        "INV-6: endpoints without a usable address are skipped and reported, the others stay",
        arguments: [
            Skip(
                endpoint: #"{"addresses":["bogus"]}"#,
                complaint: #"endpoints[0].addresses[0]: "bogus" is not an IP address; the endpoint is skipped"#),
            Skip(
                endpoint: #"{"addresses":[]}"#, complaint: "endpoints[0].addresses: is empty; the endpoint is skipped"),
            Skip(endpoint: "{}", complaint: "endpoints[0].addresses: is empty; the endpoint is skipped"),
            Skip(
                endpoint: #"{"addresses":["fd00::1"]}"#,
                complaint:
                    "endpoints[0].addresses[0]: fd00::1 is not an IPv4 address, as addressType says; the endpoint is skipped"
            ),
            Skip(
                endpoint: #"{"addresses":["0.0.0.0"]}"#,
                complaint: "endpoints[0].addresses[0]: 0.0.0.0 is not the address of a host; the endpoint is skipped"),
        ])
    func skipped(_ row: Skip) throws {
        let decoded = try slice(#""addressType":"IPv4","endpoints":[\#(row.endpoint),{"addresses":["10.0.1.2"]}]"#)
        #expect(decoded.slice?.endpoints.map(\.address.description) == ["10.0.1.2"])
        #expect(decoded.complaints == [row.complaint])
    }

    @Test(
        "EP-2, INV-5: a slice without an owner is nothing, and reported",
        arguments: [
            "", #""kubernetes.io/service-name":"""#, #""kubernetes.io/service-name":null"#,
        ])
    func ownerless(labels: String) throws {
        let decoded = try slice(#""addressType":"IPv4","endpoints":[]"#, labels: labels)
        let identity = ObjectIdentity(kind: .endpointSlice, name: ObjectName(namespace: "default", name: "web-1"))
        #expect(decoded.outcome == .nothing(identity))
        #expect(decoded.problems.map(\.field) == ["metadata.labels[kubernetes.io/service-name]"])
    }

    @Test("EP-3: an FQDN slice is nothing, silently")
    func fqdn() throws {
        let decoded = try slice(#""addressType":"FQDN","endpoints":[{"addresses":["a.example"]}]"#)
        #expect(decoded.slice == nil)
        #expect(!decoded.isUnusable)
        #expect(decoded.complaints == [])
    }

    @Test("SVC-8: the headless label is kept, whatever its value")
    func headless() throws {
        let labels = #""kubernetes.io/service-name":"web","service.kubernetes.io/headless":"""#
        #expect(try slice(#""addressType":"IPv4""#, labels: labels).slice?.isHeadless == true)
    }

    @Test(
        "wrong types and values make the slice unusable",
        arguments: [
            Skip(endpoint: #""addressType":"ipv4""#, complaint: #"addressType: "ipv4" is none of IPv4, IPv6 and FQDN"#),
            Skip(endpoint: #""endpoints":[]"#, complaint: "addressType: is missing"),
            Skip(
                endpoint: #""addressType":"IPv4","ports":[{"port":65536}]"#,
                complaint: "ports[0].port: 65536 is not a port (1…65535)"),
            Skip(
                endpoint:
                    #""addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"conditions":{"ready":"true"}}]"#,
                complaint: #"endpoints[0].conditions.ready: "true" is not true or false"#),
            Skip(
                endpoint: #""addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"],"hints":{"forZones":["a"]}}]"#,
                complaint: #"endpoints[0].hints.forZones[0]: "a" is not an object"#),
            Skip(
                endpoint: #""addressType":"IPv4","endpoints":[{"addresses":"10.0.0.1"}]"#,
                complaint: #"endpoints[0].addresses: "10.0.0.1" is not a list"#),
        ])
    func fatal(_ row: Skip) throws {
        let decoded = try slice(row.endpoint)
        #expect(decoded.isUnusable)
        #expect(decoded.complaints == [row.complaint])
    }

    @Test("a weight out of range is 1, and reported", arguments: ["0", "1001", "x", "-1", ""])
    func weight(_ text: String) throws {
        let decoded = try slice(
            #""addressType":"IPv4""#, metadata: #","annotations":{"martlet.dev/weight":"\#(text)"}"#)
        #expect(decoded.slice?.weight == 1)
        #expect(decoded.problems.map(\.field) == ["metadata.annotations[martlet.dev/weight]"])
    }
}
