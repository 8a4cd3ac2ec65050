// Services that are right, field by field.

import NetworkTypes
import ServiceModel
import Testing

@Suite struct ServiceDecodingTests {
    @Test("every field of a service that a proxy reads arrives")
    func everything() throws {
        let decoded = try decodeOne(
            #"""
            {"apiVersion":"v1","kind":"Service",
             "metadata":{"namespace":"shop","name":"web","creationTimestamp":"2026-11-21T10:00:00Z",
               "annotations":{"martlet.dev/algorithm":"maglev","martlet.dev/source-ranges-policy":"deny"}},
             "spec":{"type":"LoadBalancer","clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1","fd00::1"],
               "ipFamilies":["IPv4","IPv6"],"externalIPs":["192.0.2.7"],"loadBalancerSourceRanges":["203.0.113.0/24"],
               "externalTrafficPolicy":"Local","internalTrafficPolicy":"Local","healthCheckNodePort":30100,
               "sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":60}},
               "selector":{"app":"web"},
               "ports":[{"name":"http","port":80,"targetPort":"web","nodePort":30080,"protocol":"TCP"},
                        {"name":"dns","port":53,"protocol":"UDP","appProtocol":"x"}]},
             "status":{"loadBalancer":{"ingress":[{"ip":"198.51.100.1","ports":[]},{"hostname":"lb.example"}]}}}
            """#)
        let expected = Service(
            name: ObjectName(namespace: "shop", name: "web"), creationTime: 1_795_255_200, kind: .loadBalancer,
            clusterIPs: [.ipv4: try ip("10.0.0.1"), .ipv6: try ip("fd00::1")], externalIPs: [try ip("192.0.2.7")],
            loadBalancerIPs: [try ip("198.51.100.1")],
            loadBalancerSourceRanges: [try #require(CIDR("203.0.113.0/24"))], sourceRangesPolicy: .deny,
            externalTrafficPolicy: .local, internalTrafficPolicy: .local, sessionAffinitySeconds: 60,
            healthCheckNodePort: 30100, algorithm: .maglev,
            ports: [
                ServicePort(name: "http", port: 80, nodePort: 30080),
                ServicePort(name: "dns", protocol: .udp, port: 53),
            ])
        #expect(decoded.service == expected)
        #expect(decoded.complaints == [])
    }

    @Test("what is not there has Kubernetes' defaults")
    func defaults() throws {
        let decoded = try service(spec: #"{"clusterIP":"10.0.0.1","ports":[{"port":80}]}"#)
        let expected = Service(
            name: ObjectName(namespace: "default", name: "web"), clusterIPs: [.ipv4: try ip("10.0.0.1")],
            ports: [ServicePort(port: 80)])
        #expect(decoded.service == expected)
        #expect(decoded.complaints == [])
    }

    struct Cluster: Sendable {
        var rule: String
        var spec: String
        var expected: [AddressFamily: String]
        var isHeadless = false
    }

    @Test(
        "the ClusterIP of each family",
        arguments: [
            Cluster(
                rule: "SVC-13: families and addresses go by place",
                spec: #""ipFamilies":["IPv6","IPv4"],"clusterIP":"fd00::1","clusterIPs":["fd00::1","10.0.0.1"]"#,
                expected: [.ipv6: "fd00::1", .ipv4: "10.0.0.1"]),
            Cluster(
                rule: "SVC-13: a family without an address is absent",
                spec: #""ipFamilies":["IPv6","IPv4"],"clusterIP":"fd00::1","clusterIPs":["fd00::1"]"#,
                expected: [.ipv6: "fd00::1"]),
            Cluster(
                rule: "SVC-13: without ipFamilies, only clusterIP counts",
                spec: #""clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1","fd00::1"]"#, expected: [.ipv4: "10.0.0.1"]),
            Cluster(
                rule: "INV-4: an IPv6 clusterIP gives no IPv4 Service", spec: #""clusterIP":"fd00::1""#,
                expected: [.ipv6: "fd00::1"]),
            Cluster(
                rule: "SVC-13: clusterIPs filled in from clusterIP, as the API server does",
                spec: #""ipFamilies":["IPv4"],"clusterIP":"10.0.0.1""#, expected: [.ipv4: "10.0.0.1"]),
            Cluster(
                rule: "SVC-13: clusterIP filled in from clusterIPs", spec: #""clusterIPs":["10.0.0.1"]"#,
                expected: [.ipv4: "10.0.0.1"]),
            Cluster(
                rule: "INV-1: leading zeros are decimal", spec: #""clusterIP":"172.30.0.041""#,
                expected: [.ipv4: "172.30.0.41"]),
            Cluster(rule: "SVC-7: None is headless", spec: #""clusterIP":"None""#, expected: [:], isHeadless: true),
            Cluster(
                rule: "SVC-7: None in both forms",
                spec: #""clusterIP":"None","clusterIPs":["None"],"ipFamilies":["IPv4"]"#,
                expected: [:], isHeadless: true),
            Cluster(rule: "SVC-7: empty is headless", spec: #""clusterIP":"""#, expected: [:], isHeadless: true),
        ])
    func clusterIPs(_ row: Cluster) throws {
        let decoded = try service(spec: #"{\#(row.spec),"ports":[{"port":80}]}"#)
        let result = try #require(decoded.service, "\(row.rule)")
        #expect(result.clusterIPs.mapValues(\.description) == row.expected, "\(row.rule)")
        #expect(result.isHeadless == row.isHeadless, "\(row.rule)")
    }

    @Test("SVC-7: an ExternalName counts for nothing, whatever else it holds")
    func externalName() throws {
        let decoded = try service(
            spec: #"{"type":"ExternalName","externalName":"a.example","clusterIP":"bogus","ports":[{"port":0}]}"#)
        #expect(decoded.service == Service(name: ObjectName(namespace: "default", name: "web"), kind: .externalName))
        #expect(decoded.complaints == [])
    }

    @Test(
        "SVC-9: the label service-proxy-name counts with any value, also empty and null",
        arguments: ["\"x\"", "\"\"", "null"])
    func otherProxy(value: String) throws {
        let decoded = try service(
            spec: #"{"clusterIP":"10.0.0.1","ports":[{"port":80}]}"#,
            metadata: #","labels":{"service.kubernetes.io/service-proxy-name":\#(value)}"#)
        #expect(decoded.service?.belongsToOtherProxy == true)
    }

    @Test("SVC-8: the headless label on a Service is no filter")
    func headlessLabel() throws {
        let decoded = try service(
            spec: #"{"clusterIP":"10.0.0.1","ports":[{"port":80}]}"#,
            metadata: #","labels":{"service.kubernetes.io/headless":""}"#)
        #expect(decoded.service?.isHeadless == false)
    }

    @Test("SVC-6: only addresses of ipMode VIP or none are served")
    func ipMode() throws {
        let decoded = try service(
            spec: #"{"clusterIP":"10.0.0.1","ports":[{"port":80}]}"#,
            more: #"""
                ,"status":{"loadBalancer":{"ingress":[{"ip":"1.2.3.4","ipMode":"Proxy"},{"ip":"5.6.7.8","ipMode":"VIP"},
                {"ip":"5.6.7.9","ipMode":null},{"ip":"5.6.7.8"}]}}
                """#)
        #expect(decoded.service?.loadBalancerIPs.map(\.description) == ["5.6.7.8", "5.6.7.9"])
        #expect(decoded.complaints == [])
    }

    @Test("LBSR-7: ranges are trimmed, masked, and may have leading zeros")
    func sourceRanges() throws {
        let decoded = try service(
            spec: #"""
                {"clusterIP":"10.0.0.1","ports":[{"port":80}],
                 "loadBalancerSourceRanges":[" 203.0.113.000/025\n","10.1.2.3/8",""," "]}
                """#)
        #expect(decoded.service?.loadBalancerSourceRanges.map(\.description) == ["203.0.113.0/25", "10.0.0.0/8"])
        #expect(decoded.complaints == [])
    }

    @Test("PORT-2: one number may be there once for each protocol, and so may one name")
    func sameNumber() throws {
        let decoded = try service(
            spec: #"""
                {"clusterIP":"10.0.0.1","ports":[{"name":"dns","port":53,"protocol":"UDP"},
                 {"name":"dns-tcp","port":53},{"name":"dns-sctp","port":53,"protocol":"SCTP"},{"name":"dns","port":54}]}
                """#)
        #expect(decoded.service?.ports.map(\.protocolKind) == [.udp, .tcp, .sctp, .tcp])
    }

    @Test("INV-9: a name may begin with a digit")
    func digitName() throws {
        let decoded = try decodeOne(
            #"{"apiVersion":"v1","kind":"Service","metadata":{"name":"1abc"},"spec":{"clusterIP":"None"}}"#)
        #expect(decoded.service?.name.name == "1abc")
    }
}

func ip(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
