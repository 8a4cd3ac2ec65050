// KubeProxyConfiguration: what counts, what is accepted, what is refused.

import ConfigurationFiles
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct KubeProxyConfigurationTests {
    private func cidr(_ text: String) throws -> CIDR { try #require(CIDR(text)) }

    @Test("an empty file is the iptables mode with its defaults (NP-1, NP-6, FLAG-3)")
    func defaults() throws {
        let configuration = try kubeProxy()
        let expected = NodeSettings(nodeName: "n1", nodePortAddresses: .all, localhostNodePorts: true)
        #expect(configuration.nodeSettings(nodeName: "n1") == expected)
        #expect(configuration.metricsAddress?.description == "127.0.0.1:10249")
        #expect(configuration.hostnameOverride == nil)
        #expect(configuration.notices.map(\.field) == ["clusterCIDR"])
    }

    struct Mode: Sendable {
        var mode: String
        var addresses: NodeSettings.NodePortAddresses
        var localhost: Bool
        var masquerades: Bool
    }

    @Test(
        "each mode has its own defaults and its own section",
        arguments: [
            Mode(mode: "", addresses: .all, localhost: true, masquerades: true),
            Mode(mode: "iptables", addresses: .all, localhost: true, masquerades: true),
            Mode(mode: "nftables", addresses: .primary, localhost: false, masquerades: false),
            Mode(mode: "ipvs", addresses: .all, localhost: false, masquerades: true),
        ])
    func modes(_ row: Mode) throws {
        let configuration = try kubeProxy(
            #""mode":"\#(row.mode)","iptables":{"masqueradeAll":true},"nftables":{"masqueradeAll":false}"#)
        let settings = configuration.nodeSettings(nodeName: "n")
        #expect(settings.nodePortAddresses == row.addresses)
        #expect(settings.localhostNodePorts == row.localhost)
        #expect(settings.masqueradeAll == row.masquerades)
    }

    @Test("NP-2, NP-5, NP-6: node port addresses and localhost node ports")
    func nodePorts() throws {
        let settings = try kubeProxy(
            #""nodePortAddresses":["192.168.0.0/24","2001:db8::/64"],"iptables":{"localhostNodePorts":false}"#
        ).nodeSettings(nodeName: "n")
        #expect(settings.nodePortAddresses == .ranges([try cidr("192.168.0.0/24"), try cidr("2001:db8::/64")]))
        #expect(!settings.localhostNodePorts)
        #expect(
            try kubeProxy(#""nodePortAddresses":["primary"]"#).nodeSettings(nodeName: "n").nodePortAddresses == .primary
        )
    }

    struct Detector: Sendable {
        var members: String
        var detector: NodeSettings.LocalDetector
    }

    @Test(
        "MASQ-9: local detectors",
        arguments: [
            Detector(members: "", detector: .none),
            Detector(members: #""detectLocalMode":"NodeCIDR""#, detector: .nodeCIDR),
            Detector(
                members: #""detectLocalMode":"BridgeInterface","detectLocal":{"bridgeInterface":"cbr0"}"#,
                detector: .bridgeInterface("cbr0")),
            Detector(
                members: #""detectLocalMode":"InterfaceNamePrefix","detectLocal":{"interfaceNamePrefix":"veth"}"#,
                detector: .interfaceNamePrefix("veth")),
        ])
    func detectors(_ row: Detector) throws {
        #expect(try kubeProxy(row.members).nodeSettings(nodeName: "n").localDetector == row.detector)
    }

    @Test("MASQ-9: clusterCIDR holds one range of each family, and is the default detector")
    func clusterCIDR() throws {
        let expected = NodeSettings.LocalDetector.clusterCIDR([try cidr("10.0.0.0/14"), try cidr("2002:0:0:1234::/64")])
        for mode in ["", #","detectLocalMode":"ClusterCIDR""#, #","detectLocalMode":"""#] {
            let configuration = try kubeProxy(#""clusterCIDR":"10.0.0.0/14,2002:0:0:1234::/64"\#(mode)"#)
            #expect(configuration.nodeSettings(nodeName: "n").localDetector == expected)
            #expect(configuration.notices == [])
        }
    }

    @Test("NODE-1: the override is trimmed and lower-cased")
    func hostname() throws {
        #expect(try kubeProxy(#""hostnameOverride":" Node-A ""#).hostnameOverride == "node-a")
        #expect(complaints { try kubeProxy(#""hostnameOverride":"  ""#) } == ["hostnameOverride: is blank"])
    }

    @Test(
        "NODE-4: only a specific bind address is one",
        arguments: [
            (#""bindAddress":"80.80.80.80""#, "80.80.80.80"), (#""bindAddress":"0.0.0.0""#, nil),
            (#""bindAddress":"::""#, nil),
            (#""bindAddress":"""#, nil), ("", nil),
        ] as [(String, String?)])
    func bindAddress(_ members: String, _ expected: String?) throws {
        #expect(try kubeProxy(members).nodeSettings(nodeName: "n").bindAddress?.description == expected)
    }

    @Test("SVC-11: the gate AllowServiceExternalIPs")
    func featureGates() throws {
        let configuration = try kubeProxy(
            #""clusterCIDR":"10.0.0.0/8","featureGates":{"AllowServiceExternalIPs":false,"Other":true}"#)
        #expect(!configuration.nodeSettings(nodeName: "n").externalIPsAllowed)
        #expect(configuration.notices.map(\.field) == ["featureGates.Other"])
        #expect(try kubeProxy().nodeSettings(nodeName: "n").externalIPsAllowed)
    }

    @Test(
        "FLAG-5: the metrics address may lack its port, or be empty",
        arguments: [
            (#""metricsBindAddress":"0.0.0.0:9""#, "0.0.0.0:9"), (#""metricsBindAddress":"[::]:9""#, "[::]:9"),
            (#""metricsBindAddress":"10.0.0.1""#, "10.0.0.1:10249"), (#""metricsBindAddress":"""#, "127.0.0.1:10249"),
        ])
    func metrics(_ members: String, _ expected: String) throws {
        #expect(try kubeProxy(members).metricsAddress?.description == expected)
    }

    @Test(
        "FLAG-3: these are refused",
        arguments: [
            Wrong(
                members: #""mode":"userspace""#,
                complaints: [#"mode: "userspace" is none of iptables, ipvs and nftables"#]),
            Wrong(
                members: #""iptables":{"masqueradeBit":32}"#,
                complaints: ["iptables.masqueradeBit: 32 is not within 0…31"]),
            Wrong(members: #""oomScoreAdj":-1001"#, complaints: ["oomScoreAdj: -1001 is not within -1000…1000"]),
            Wrong(
                members: #""nftables":{"syncPeriod":"5s","minSyncPeriod":"10s"}"#,
                complaints: ["nftables.syncPeriod: is shorter than minSyncPeriod"]),
            Wrong(
                members: #""iptables":{"syncPeriod":"-1s"}"#, complaints: [#"iptables.syncPeriod: "-1s" is negative"#]),
            Wrong(
                members: #""iptables":{"syncPeriod":"soon"}"#,
                complaints: [#"iptables.syncPeriod: "soon" is not a duration (such as 30s)"#]),
            Wrong(members: #""bindAddress":"x""#, complaints: [#"bindAddress: "x" is not an IP address"#]),
            Wrong(
                members: #""metricsBindAddress":"host:1""#,
                complaints: [
                    #"metricsBindAddress: "host:1" is not an IP address with a port (such as 127.0.0.1:10249)"#
                ]),
            Wrong(
                members: #""healthzBindAddress":"1.2.3.4:0""#,
                complaints: [
                    #"healthzBindAddress: "1.2.3.4:0" is not an IP address with a port (such as 127.0.0.1:10249)"#
                ]),
            Wrong(
                members: #""clusterCIDR":"10.0.0.0/8,11.0.0.0/8""#,
                complaints: ["clusterCIDR: holds more than one IPv4 range; one of each family at most"]),
            Wrong(
                members: #""clusterCIDR":"10.0.0.0""#,
                complaints: [#"clusterCIDR: "10.0.0.0" is not a CIDR (such as 10.0.0.0/16)"#]),
            Wrong(
                members: #""nodePortAddresses":["primary","10.0.0.0/8"]"#,
                complaints: [#"nodePortAddresses: "primary" cannot be combined with anything else"#]),
            Wrong(
                members: #""nodePortAddresses":["all"]"#,
                complaints: [#"nodePortAddresses[0]: "all" is not a CIDR (such as 10.0.0.0/16)"#]),
            Wrong(
                members: #""detectLocalMode":"BridgeInterface""#,
                complaints: ["detectLocal.bridgeInterface: must be set in the mode BridgeInterface"]),
            Wrong(
                members:
                    #""detectLocalMode":"InterfaceNamePrefix","detectLocal":{"interfaceNamePrefix":"0123456789abcdef"}"#,
                complaints: [#"detectLocal.interfaceNamePrefix: "0123456789abcdef" is longer than 15 bytes"#]),
            Wrong(
                members: #""detectLocalMode":"Magic""#,
                complaints: [
                    #"detectLocalMode: "Magic" is none of ClusterCIDR, NodeCIDR, BridgeInterface and InterfaceNamePrefix"#
                ]),
            Wrong(members: #""conntrack":{"min":-1}"#, complaints: ["conntrack.min: -1 is not within 0…2147483647"]),
            Wrong(members: #""iptables":[]"#, complaints: ["iptables: a list is not an object"]),
            Wrong(
                members: #""featureGates":{"AllowServiceExternalIPs":"yes"}"#,
                complaints: [#"featureGates.AllowServiceExternalIPs: "yes" is not true or false"#]),
            Wrong(
                members: #""mode":"x","bindAddress":"y""#,
                complaints: [
                    #"bindAddress: "y" is not an IP address"#, #"mode: "x" is none of iptables, ipvs and nftables"#,
                ]),
        ])
    func refused(_ row: Wrong) {
        #expect(complaints { try kubeProxy(row.members) } == row.complaints)
    }

    @Test("FLAG-1: unknown fields are warnings; known ones without effect are listed, unless they are zero")
    func notices() throws {
        let configuration = try kubeProxy(
            #"""
            "clusterCIDR":"10.0.0.0/8","clusterCidr":"x","conntrack":{"maxPerCore":0,"min":131072,"odd":1},
            "iptables":{"syncPeriod":"0s","minSyncPeriod":"1s"},"portRange":"","oomScoreAdj":-999,"winkernel":{"enableDSR":false}
            """#)
        #expect(
            configuration.notices.map(\.description) == [
                "clusterCidr: is not a field of KubeProxyConfiguration", "oomScoreAdj: is accepted, but not used yet",
                "conntrack.min: is accepted, but not used yet",
                "conntrack.odd: is not a field of KubeProxyConfiguration",
            ])
        #expect(configuration.notices.map(\.kind) == [.unknownField, .notUsed, .notUsed, .unknownField])
    }

    @Test("FLAG-2: sync periods are those of the mode's section; zero and absence mean the default")
    func syncPeriods() throws {
        let empty = try kubeProxy()
        #expect(empty.minimumSyncInterval == .seconds(1))
        #expect(empty.syncPeriod == .seconds(30))
        let sections =
            #""iptables":{"minSyncPeriod":"2s"},"nftables":{"minSyncPeriod":"3s","syncPeriod":"1m"},"ipvs":{"syncPeriod":"0s"}"#
        #expect(try kubeProxy(sections).minimumSyncInterval == .seconds(2))
        let nftables = try kubeProxy(#""mode":"nftables","# + sections)
        #expect(nftables.minimumSyncInterval == .seconds(3))
        #expect(nftables.syncPeriod == .seconds(60))
        let ipvs = try kubeProxy(#""mode":"ipvs","# + sections)
        #expect(ipvs.minimumSyncInterval == .zero)
        #expect(ipvs.syncPeriod == .seconds(30))
    }

    @Test("API-6: the client's rate, burst and content type are used; zero and absence mean the default")
    func client() throws {
        let empty = try kubeProxy(#""clientConnection":{"qps":0,"burst":0,"contentType":""}"#)
        #expect(empty.requestsPerSecond == 5)
        #expect(empty.requestBurst == 10)
        #expect(!empty.wantsJSON)
        let set = try kubeProxy(#""clientConnection":{"qps":0.5,"burst":20,"contentType":"application/json"}"#)
        #expect(set.requestsPerSecond == 0.5)
        #expect(set.requestBurst == 20)
        #expect(set.wantsJSON)
        let odd = try kubeProxy(#""clientConnection":{"contentType":"application/yaml"},"clusterCIDR":"10.0.0.0/8""#)
        #expect(odd.notices.map(\.field) == ["clientConnection.contentType"])
        #expect(!odd.wantsJSON)
    }

    @Test("LIFE-5: what is in force, written out and read again, is the same configuration")
    func effective() throws {
        for members in [
            "", #""mode":"nftables","clusterCIDR":"10.0.0.0/8","nftables":{"syncPeriod":"0s","minSyncPeriod":"2s"}"#,
            #""nodePortAddresses":["192.168.0.0/24"],"featureGates":{"AllowServiceExternalIPs":false},"oomScoreAdj":0"#,
        ] {
            let comma = members.isEmpty ? "" : ","
            let text =
                #"{"apiVersion":"kubeproxy.config.k8s.io/v1alpha1","kind":"KubeProxyConfiguration"\#(comma)\#(members)}"#
            let document = try JSONText.parse(Array(text.utf8))[0].value
            var written = try AgentConfiguration.decode(KubeProxyDefaults.effective(document, isOfFlags: false))
            var read = try AgentConfiguration.decode(document)
            (written.notices, read.notices) = ([], [])
            // What was read is another text each time.
            (written.kubeProxyDocument, read.kubeProxyDocument) = (nil, nil)
            #expect(written == read)
        }
        let defaults = KubeProxyDefaults.effective(nil, isOfFlags: false)
        #expect(defaults["conntrack"]?["min"] == .integer(131_072))
        #expect(defaults["iptables"]?["masqueradeBit"] == .integer(14))
        #expect(defaults["configSyncPeriod"] == .string("15m0s"))
    }

    @Test("PORT-7: portRange is accepted")
    func portRange() throws {
        #expect(try kubeProxy(#""portRange":"10000-11000""#).notices.map(\.field).contains("portRange"))
    }

    @Test("the file that kubeadm writes is used without a complaint")
    func kubeadm() throws {
        let configuration = try kubeProxy(
            #"""
            "bindAddress":"0.0.0.0","bindAddressHardFail":false,
            "clientConnection":{"acceptContentTypes":"","burst":0,"contentType":"",
              "kubeconfig":"/var/lib/kube-proxy/kubeconfig.conf","qps":0},
            "clusterCIDR":"10.244.0.0/16","configSyncPeriod":"0s",
            "conntrack":{"maxPerCore":null,"min":null,"tcpBeLiberal":false,"tcpCloseWaitTimeout":null,
              "tcpEstablishedTimeout":null,"udpStreamTimeout":"0s","udpTimeout":"0s"},
            "detectLocal":{"bridgeInterface":"","interfaceNamePrefix":""},"detectLocalMode":"","enableProfiling":false,
            "healthzBindAddress":"","hostnameOverride":"",
            "iptables":{"localhostNodePorts":null,"masqueradeAll":false,"masqueradeBit":null,"minSyncPeriod":"0s",
              "syncPeriod":"0s"},
            "ipvs":{"excludeCIDRs":null,"minSyncPeriod":"0s","scheduler":"","strictARP":false,"syncPeriod":"0s",
              "tcpFinTimeout":"0s","tcpTimeout":"0s","udpTimeout":"0s"},
            "logging":{"flushFrequency":0,"options":{"json":{"infoBufferSize":"0"},"text":{"infoBufferSize":"0"}},
              "verbosity":0},
            "metricsBindAddress":"","mode":"","nftables":{"masqueradeAll":false,"masqueradeBit":null,
              "minSyncPeriod":"0s","syncPeriod":"0s"},
            "nodePortAddresses":null,"oomScoreAdj":null,"portRange":"","showHiddenMetricsForVersion":"",
            "winkernel":{"enableDSR":false,"forwardHealthCheckVip":false,"networkName":"","rootHnsEndpointName":"",
              "sourceVip":""}
            """#)
        #expect(configuration.notices == [])
        #expect(configuration.kubeconfig == "/var/lib/kube-proxy/kubeconfig.conf")
        let expected = NodeSettings(
            nodeName: "n", nodePortAddresses: .all, localhostNodePorts: true,
            localDetector: .clusterCIDR([try cidr("10.244.0.0/16")]))
        #expect(configuration.nodeSettings(nodeName: "n") == expected)
    }

    @Test(
        "other kinds and versions are refused",
        arguments: [
            (
                #"{"kind":"KubeProxyConfiguration","apiVersion":"kubeproxy.config.k8s.io/v1alpha2"}"#,
                #"apiVersion: "kubeproxy.config.k8s.io/v1alpha2" is not kubeproxy.config.k8s.io/v1alpha1"#
            ),
            (#"{"kind":"MartletConfiguration"}"#, #"apiVersion: "" is not martlet.dev/v1alpha1"#),
            (
                #"{"kind":"Service","apiVersion":"v1"}"#,
                #"kind: "Service" is neither MartletConfiguration nor KubeProxyConfiguration"#
            ),
            ("[]", "a list is not a configuration"), ("null", "null is not a configuration"),
            (#"{"kind":7}"#, "kind: 7 is not a string: put it in quotes"),
        ])
    func otherKinds(_ json: String, _ complaint: String) {
        #expect(complaints { try configuration(json) }.first == complaint)
    }

    @Test("NODE-1: the flag goes before the file, the file before the hostname")
    func nodeName() throws {
        let file = try kubeProxy(#""hostnameOverride":"from-file""#)
        #expect(try NodeName.resolve(flag: " Flag ", configuration: file, hostname: "host") == "flag")
        #expect(try NodeName.resolve(flag: nil, configuration: file, hostname: "host") == "from-file")
        #expect(try NodeName.resolve(flag: nil, configuration: nil, hostname: "Host\n") == "host")
        #expect(throws: FieldProblem("--node", "is blank")) {
            try NodeName.resolve(flag: " ", configuration: file, hostname: "host")
        }
    }
}
