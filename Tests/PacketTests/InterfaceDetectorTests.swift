// Detectors that know pods by the device that their packets come in by (MASQ-9): the name of a bridge, or the beginning of
// a device's name. A source address says nothing to them.

import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("Pods known by their device") struct InterfaceDetectorTests {
        static let exchanges = Exchange.all.filter { $0.entrance == .tc }

        enum Detector: String, CaseIterable, Sendable {
            case bridge, prefix

            var layout: Lab.Layout {
                .with {
                    $0.bridgesPods = self == .bridge
                    $0.detector = self == .bridge ? .bridgeInterface("cbr0") : .interfaceNamePrefix("pod")
                }
            }
        }

        @Test(
            "what comes in there is a pod's, whatever its address: a ClusterIP keeps it (MASQ-1)",
            arguments: exchanges, Detector.allCases)
        func pod(_ exchange: Exchange, _ detector: Detector) throws {
            try withLab(detector.layout) { lab in
                try lab.serve(exchange.transport, [.remote])
                for source in [exchange.ground.localPod, exchange.ground.otherClient] {
                    let request = exchange.request(to: exchange.ground.frontend(.clusterIP), from: source)
                    try exchange.openLocally(lab, request, to: exchange.ground.remotePod, at: "pod1", leavingBy: "pod1")
                }
            }
        }

        @Test("and is short-circuited at frontends with a Local policy (TP-6)", arguments: exchanges, Detector.allCases)
        func shortCircuit(_ exchange: Exchange, _ detector: Detector) throws {
            try withLab(detector.layout) { lab in
                try lab.serve(exchange.transport, [.remote]) { $0.externalTrafficPolicy = .local }
                let request = exchange.request(
                    to: exchange.ground.frontend(.loadBalancer), from: exchange.ground.otherLocalPod)
                try exchange.openLocally(lab, request, to: exchange.ground.remotePod, at: "pod1", leavingBy: "pod1")
            }
        }

        @Test(
            "what comes in elsewhere is not, whatever its address: it is masqueraded (MASQ-2)",
            arguments: Exchange.all, Detector.allCases)
        func outside(_ exchange: Exchange, _ detector: Detector) throws {
            try withLab(detector.layout) { lab in
                try lab.serve(exchange.transport, [.remote])
                for source in [exchange.ground.client, exchange.ground.otherLocalPod] {
                    let request = exchange.request(to: exchange.ground.frontend(.clusterIP), from: source)
                    try exchange.open(lab, request)
                }
            }
        }

        @Test("a backend behind the bridge is reached and its reply goes to the client", arguments: exchanges)
        func bridgedBackend(_ exchange: Exchange) throws {
            try withLab(Detector.bridge.layout) { lab in
                try lab.serve(exchange.transport, [.local])
                let request = exchange.request(to: exchange.ground.frontend(.nodePort))
                let sent = try exchange.open(lab, request, to: exchange.ground.localPod, verdict: .redirected)
                try exchange.expectReply(lab, to: sent, answering: request, at: "pod1", verdict: .redirected)
            }
        }
    }
}
