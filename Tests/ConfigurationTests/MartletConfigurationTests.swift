// MartletConfiguration, strictly.

import ConfigurationFiles
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct MartletConfigurationTests {
    @Test("an empty file has Martlet's defaults, the same as no file")
    func defaults() throws {
        var without = AgentConfiguration()
        without.kind = .martlet
        #expect(try martlet() == without)
        let configuration = AgentConfiguration()
        #expect(configuration.nodeSettings(nodeName: "n1") == NodeSettings(nodeName: "n1"))
        #expect(configuration.auditInterval == .seconds(60))
        #expect(configuration.gracePeriod == .seconds(30))
        #expect(configuration.minimumSyncInterval == .milliseconds(10))
        #expect(configuration.syncPeriod == .seconds(30))
        #expect(configuration.datapath == DatapathConfiguration())
        #expect(configuration.metricsAddress == AddressAndPort("127.0.0.1:10249"))
    }

    @Test("every field arrives")
    func everything() throws {
        let configuration = try martlet(
            #"""
            "nodePortAddresses":["192.168.0.0/24"],"localhostNodePorts":true,
            "detectLocal":{"mode":"ClusterCIDR","clusterCIDRs":["10.0.0.0/8","fd00::/48"]},"masqueradeAll":true,
            "serviceCIDRs":["10.96.0.0/12"],"algorithm":"maglev","allowServiceExternalIPs":false,
            "bindAddress":"192.168.0.2","metricsBindAddress":"0.0.0.0:9100",
            "mapSizes":{"frontends":1000,"backends":2000,"slots":3000,"services":4000,"connections":5000,"udpPages":6000,
              "affinity":7000,"nodePorts":100,"serviceCIDRs":10,"eventBytes":8192},
            "terminateTCPConnections":true,"skipCgroups":["/sys/fs/cgroup/mesh"],"auditInterval":"5m","gracePeriod":"1s",
            "bindProtection":false,"cgroup":"/sys/fs/cgroup","pinFolder":"/sys/fs/bpf/m",
            "dsrDispatch":"option","minSyncPeriod":"100ms","syncPeriod":"20s"
            """#)
        func cidr(_ text: String) throws -> CIDR { try #require(CIDR(text)) }
        let settings = NodeSettings(
            nodeName: "n", nodePortAddresses: .ranges([try cidr("192.168.0.0/24")]), localhostNodePorts: true,
            localDetector: .clusterCIDR([try cidr("10.0.0.0/8"), try cidr("fd00::/48")]), masqueradeAll: true,
            serviceCIDRs: [try cidr("10.96.0.0/12")], externalIPsAllowed: false, bindAddress: IPAddress("192.168.0.2"),
            defaultAlgorithm: .maglev)
        #expect(configuration.nodeSettings(nodeName: "n") == settings)
        var datapath = DatapathConfiguration()
        datapath.pinFolder = "/sys/fs/bpf/m"
        datapath.cgroup = "/sys/fs/cgroup"
        datapath.skipCgroups = ["/sys/fs/cgroup/mesh"]
        datapath.terminatesTCPConnections = true
        datapath.bindProtection = false
        datapath.directReturnDispatch = "option"
        datapath.mapSizes = [
            .frontends: 1000, .backends: 2000, .slots: 3000, .services: 4000, .connections: 5000, .udpPages: 6000,
            .affinity: 7000, .nodePorts: 100, .serviceCIDRs: 10, .eventBytes: 8192,
        ]
        #expect(configuration.datapath == datapath)
        #expect(configuration.auditInterval == .seconds(300))
        #expect(configuration.gracePeriod == .seconds(1))
        #expect(configuration.minimumSyncInterval == .milliseconds(100))
        #expect(configuration.syncPeriod == .seconds(20))
        #expect(configuration.metricsAddress == AddressAndPort("0.0.0.0:9100"))
        #expect(configuration.notices == [])
    }

    @Test("words for node port addresses, and ways to turn things off")
    func words() throws {
        #expect(try martlet(#""nodePortAddresses":["all"]"#).nodeSettings(nodeName: "n").nodePortAddresses == .all)
        #expect(
            try martlet(#""nodePortAddresses":["primary"]"#).nodeSettings(nodeName: "n").nodePortAddresses == .primary)
        #expect(try martlet(#""metricsBindAddress":"""#).metricsAddress == nil)
        #expect(try martlet(#""auditInterval":"0s""#).auditInterval == nil)
        let detectors = try ["NodeCIDR", "ClusterCIDR", ""].map { mode in
            try martlet(#""detectLocal":{"mode":"\#(mode)"}"#).nodeSettings(nodeName: "n").localDetector
        }
        #expect(detectors == [.nodeCIDR, .none, .none])
    }

    @Test(
        "these are refused",
        arguments: [
            Wrong(
                members: #""nodePortAdresses":[]"#,
                complaints: ["nodePortAdresses: is not a field of MartletConfiguration"]),
            Wrong(
                members: #""mapSizes":{"frontend":1},"detectLocal":{"bridge":"x"}"#,
                complaints: [
                    "detectLocal.bridge: is not a field of MartletConfiguration",
                    "mapSizes.frontend: is not a field of MartletConfiguration",
                ]),
            Wrong(
                members: #""mapSizes":{"frontends":0}"#, complaints: ["mapSizes.frontends: 0 is not within 1…268435456"]
            ),
            Wrong(
                members: #""mapSizes":{"eventBytes":5000}"#,
                complaints: ["mapSizes.eventBytes: 5000 is not a power of two of at least 4096"]),
            Wrong(members: #""mapSizes":[1]"#, complaints: ["mapSizes: a list is not an object"]),
            Wrong(
                members: #""algorithm":"leastconn""#,
                complaints: [#"algorithm: "leastconn" is neither random nor maglev"#]),
            Wrong(
                members: #""dsrDispatch":"geneve""#,
                complaints: [#"dsrDispatch: "geneve" is neither ipip nor option"#]),
            Wrong(
                members: #""tunnelSources":["198.18.0.1/32","2001:db8::/97"]"#,
                complaints: [
                    "tunnelSources: 198.18.0.1/32 is not between /1 and /31: what follows the prefix tells flows apart",
                    "tunnelSources: 2001:db8::/97 is not between /1 and /96: what follows the prefix tells flows apart",
                ]),
            Wrong(
                members: #""tunnelSources":["0.0.0.0/0"]"#,
                complaints: [
                    "tunnelSources: 0.0.0.0/0 is not between /1 and /31: what follows the prefix tells flows apart"
                ]),
            Wrong(
                members: #""gracePeriod":"30""#, complaints: [#"gracePeriod: "30" is not a duration (such as 30s)"#]),
            Wrong(
                members: #""gracePeriod":"999ms""#,
                complaints: ["gracePeriod: is less than 1s: programs may still be reading what would be reused"]),
            Wrong(members: #""gracePeriod":30"#, complaints: ["gracePeriod: 30 is not a string: put it in quotes"]),
            Wrong(
                members: #""auditInterval":"-5s""#,
                complaints: [#"auditInterval: "-5s" is not a duration (such as 30s)"#]),
            Wrong(members: #""cgroup":"unified""#, complaints: [#"cgroup: "unified" does not begin with '/'"#]),
            Wrong(members: #""skipCgroups":["a"]"#, complaints: [#"skipCgroups[0]: "a" does not begin with '/'"#]),
            Wrong(
                members: #""serviceCIDRs":["10.96.0.0/12","x"]"#,
                complaints: [#"serviceCIDRs[1]: "x" is not a CIDR (such as 10.0.0.0/16)"#]),
            Wrong(
                members: #""nodePortAddresses":["all","primary"]"#,
                complaints: [#"nodePortAddresses: "primary" cannot be combined with anything else"#]),
            Wrong(
                members: #""detectLocal":{"mode":"NodeCIDR","clusterCIDRs":["10.0.0.0/8"]}"#,
                complaints: ["detectLocal.clusterCIDRs: has no effect in this mode"]),
            Wrong(members: #""bindProtection":"no""#, complaints: [#"bindProtection: "no" is not true or false"#]),
        ])
    func refused(_ row: Wrong) {
        #expect(complaints { try martlet(row.members) } == row.complaints)
    }

    @Test(
        "durations as Go writes them",
        arguments: [
            ("0", Duration.zero), ("30s", .seconds(30)), ("1h30m", .seconds(5400)), ("1.5s", .milliseconds(1500)),
            ("100ms", .milliseconds(100)), ("-1s", .seconds(-1)), ("+2s", .seconds(2)), (".5s", .milliseconds(500)),
            ("1us", .microseconds(1)), ("3ns", .nanoseconds(3)), ("1.s", .seconds(1)), ("24h0m0s", .seconds(86400)),
        ])
    func durations(_ text: String, _ duration: Duration) {
        #expect(DurationText.parse(text) == duration)
    }

    @Test(
        "what is no duration",
        arguments: [
            "", "30", "s", "1d", ".s", "1..5s", "1s2", "--1s", "1 s", "٣s", "99999999999h", "1e3s",
            String(repeating: "9", count: 400) + "s",
        ])
    func noDurations(_ text: String) {
        #expect(DurationText.parse(text) == nil)
    }
}
