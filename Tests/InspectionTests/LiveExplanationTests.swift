// Explaining a real datapath: from its records, and through its programs from inside of the served cgroup.

import BPF
import CDatapathABI
import Datapath
import DatapathImage
import LoadBalancing
import NetworkTypes
import SystemCalls
import Testing

@testable import Inspection

@Suite("Explaining a datapath in the kernel", .enabled(if: canUseKernel))
struct LiveExplanationTests {
    private func explain(_ from: String, _ to: String, _ folder: PinFolder) throws -> Explanation {
        try LiveExplanation.explain(
            from: try #require(TrafficSource(from)), to: try #require(FrontendAddress(to)), in: folder
        ).explanation
    }

    @Test("the constants of the attached programs are read back by name")
    func constants() throws {
        let installation = try TestInstallation(hostCookie: 0x1234_5678_9abc_def0, podsAreLocalIPv6: false)
        #expect(
            try ProgramConstants.read(installation.folder)
                == ProgramConstants(
                    hostNamespaceCookie: 0x1234_5678_9abc_def0, podsAreLocalIPv4: true, podsAreLocalIPv6: false,
                    skipCGroupCount: 0))
    }

    @Test("answers from the records with the agent down, and says why it did not dial")
    func fromRecords() throws {
        let installation = try TestInstallation()
        try installation.addService(2, "web", port: "http")
        try installation.addBackend(3, "127.0.0.9:8080")
        try installation.addBackend(5, "127.0.0.8:8080")
        try installation.addFrontend(
            try TestInstallation.key("127.77.2.1:80"), service: 2, internal: try installation.forward(to: [5, 3]),
            external: installation.choice(DP_ACTION_DROP))
        try #require(installation.datapath).updateServiceCIDRs([PrefixKey(try #require(CIDR("127.77.0.0/16")))])
        installation.release()

        let answer = try explain("node", "127.77.2.1:80/TCP", installation.folder)
        #expect(answer.outcome == .dnat && answer.service == "default/web:http")
        #expect(answer.backends == ["127.0.0.8:8080", "127.0.0.9:8080"])
        #expect(answer.frontend?.internalTo == "cluster" && answer.frontend?.externalTo == "drop")
        #expect(answer.reason.contains("decided by the records alone, since a TCP connect would send packets"))
        let inside = try explain("pod", "127.77.2.9:80/TCP", installation.folder)
        #expect(inside.outcome == .drop && inside.rules == ["SVC-12"])
        #expect(try explain("pod", "127.78.2.9:80/TCP", installation.folder).outcome == .notHandled)
    }

    @Test("a process of the node in the served cgroup confirms with a real UDP socket")
    func throughThePrograms() throws {
        let cookie = try InternetSocket(.udp, .ipv4).namespaceCookie()
        let installation = try TestInstallation(hostCookie: cookie)
        try installation.addService(2, "dns", protocol: .udp)
        try installation.addBackend(3, "127.0.0.9:5353", protocol: .udp)
        let key = try TestInstallation.key("127.77.2.2:53", .udp)
        let forward = try installation.forward(to: [3])
        try installation.addFrontend(key, service: 2, internal: forward, external: forward)
        let reject = installation.choice(DP_ACTION_REJECT)
        try installation.addFrontend(
            try TestInstallation.key("127.77.2.3:53", .udp), service: 2, internal: reject, external: reject)
        try installation.addFrontend(
            try TestInstallation.key("127.77.2.4:53", .udp), service: 2, affinity: 60, internal: forward,
            external: forward)
        let drop = installation.choice(DP_ACTION_DROP)
        try installation.addFrontend(
            try TestInstallation.key("127.77.2.5:53", .udp), service: 2, internal: drop, external: drop)

        let outside = try explain("node", "127.77.2.2:53/UDP", installation.folder)
        #expect(outside.reason.contains("not in the cgroup that is served"))
        let answers = try installation.cgroup.inside {
            try (2...6).map { try explain("node", "127.77.2.\($0):53/UDP", installation.folder).reason }
        }
        #expect(answers[0].hasSuffix("; a real UDP connect of this process went to 127.0.0.9:5353."))
        #expect(answers[1].hasSuffix("; a real UDP connect of this process was refused."))
        #expect(answers[2].contains("since a connect would bind this namespace to a backend (AFF-1)"))
        #expect(answers[3].hasSuffix("; a real UDP connect of this process was dropped (EPERM)."))
        #expect(answers[4].hasSuffix("; a real UDP connect of this process was left as it is."))
        let maps = try DatapathMaps.open(installation.folder)
        #expect(try maps.counters(ofService: 2).connections == 1)
        #expect(try maps.connections.count() == 0)
    }
}
