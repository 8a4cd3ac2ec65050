// What of another configuration takes effect in an agent that runs.

import ConfigurationFiles
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite("Another configuration while the agent runs")
struct LiveConfigurationTests {
    @Test("what programs, maps and servers are made with waits for the next start, by name")
    func nextStart() throws {
        let first = try martlet()
        let newer = try martlet(
            #"""
            "mapSizes":{"frontends":1000},"pinFolder":"/sys/fs/bpf/m","cgroup":"/c","skipCgroups":["/d"],
            "terminateTCPConnections":true,"bindProtection":false,"devices":["none"],"xdp":"off","dsrDispatch":"option",
            "tunnelSources":["198.18.0.0/16"],"sourcePorts":"40000-50000","metricsBindAddress":"","healthzBindAddress":"",
            "syncPeriod":"1m","detectLocal":{"mode":"NodeCIDR"}
            """#)
        #expect(
            first.fieldsForTheNextStart(in: newer) == [
                "bindProtection", "cgroup", "detectLocal", "devices", "dsrDispatch", "healthzBindAddress",
                "mapSizes.frontends", "metricsBindAddress", "pinFolder", "skipCgroups", "sourcePorts", "syncPeriod",
                "terminateTCPConnections", "tunnelSources", "xdp",
            ])
        #expect(first.liveSettings(of: newer, nodeName: "n") == first.nodeSettings(nodeName: "n"))
    }

    @Test("what the rules and the reconciler read takes effect at once")
    func live() throws {
        let first = try martlet(#""detectLocal":{"clusterCIDRs":["10.0.0.0/8"]}"#)
        let newer = try martlet(
            #"""
            "detectLocal":{"clusterCIDRs":["10.0.0.0/14"]},"nodePortAddresses":["all"],"localhostNodePorts":true,
            "masqueradeAll":true,"serviceCIDRs":["10.96.0.0/12"],"algorithm":"maglev","allowServiceExternalIPs":false,
            "bindAddress":"192.0.2.1","forwarding":"dsr","clusterIPFromOutside":false,"auditInterval":"5m",
            "gracePeriod":"10s","minSyncPeriod":"1s","logLevel":"debug"
            """#)
        #expect(first.fieldsForTheNextStart(in: newer) == [])
        #expect(first.liveSettings(of: newer, nodeName: "n") == newer.nodeSettings(nodeName: "n"))
    }

    @Test("another detector is followed unless a family has its first one then, or loses its last")
    func detectors() throws {
        let first = try martlet(#""detectLocal":{"clusterCIDRs":["10.0.0.0/8","fd00::/48"]}"#)
        let byNode = try martlet(#""detectLocal":{"mode":"NodeCIDR"}"#)
        #expect(first.fieldsForTheNextStart(in: byNode) == [])
        let single = try martlet(#""detectLocal":{"clusterCIDRs":["10.0.0.0/8"]},"algorithm":"maglev""#)
        #expect(first.fieldsForTheNextStart(in: single) == ["detectLocal"])
        let settings = first.liveSettings(of: single, nodeName: "n")
        #expect(settings.localDetector == first.nodeSettings(nodeName: "n").localDetector)
        #expect(settings.defaultAlgorithm == .maglev)
    }
}
