// internalTrafficPolicy and externalTrafficPolicy (semantics section 5).

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct TrafficPoliciesTests {
    let remote = slice(.ready("10.244.2.1", on: "n2"))
    let both = slice(.ready("10.244.1.1", on: "n1"), .ready("10.244.2.1", on: "n2"))
    let external: [FrontendPlan.Kind] = [.nodePort, .loadBalancer, .externalIP]

    @Test("TP-1: internalTrafficPolicy Local keeps everybody's ClusterIP traffic on this node")
    func internalLocal() {
        let local = plan(externalService { $0.internalTrafficPolicy = .local }, both)
        #expect(local.disposition(.clusterIP) == "local/local")
        #expect(local.localTexts == ["10.244.1.1:8080"])
        #expect(plan(externalService(), both).disposition(.clusterIP) == "cluster/cluster")
    }

    @Test("TP-2: the internal policy never affects external traffic, nor the external one the ClusterIP")
    func independence() {
        let internalLocal = plan(externalService { $0.internalTrafficPolicy = .local }, remote)
        for kind in external { #expect(internalLocal.disposition(kind) == "cluster/cluster") }
        let externalLocal = plan(externalService { $0.externalTrafficPolicy = .local }, remote)
        #expect(externalLocal.disposition(.clusterIP) == "cluster/cluster")
    }

    @Test("TP-3: internalTrafficPolicy Local with endpoints elsewhere only is silence for all")
    func internalDrop() {
        let plan = plan(service { $0.internalTrafficPolicy = .local }, remote)
        #expect(plan.disposition(.clusterIP) == "drop/drop")
    }

    @Test("TP-4: externalTrafficPolicy Cluster sends external traffic to the cluster list")
    func externalCluster() {
        let plan = plan(externalService(), both)
        for kind in external { #expect(plan.disposition(kind) == "cluster/cluster") }
        #expect(plan.clusterTexts == ["10.244.1.1:8080", "10.244.2.1:8080"])
    }

    @Test("TP-5: externalTrafficPolicy Local sends outside clients to local endpoints, on every external address")
    func externalLocal() {
        let plan = plan(externalService { $0.externalTrafficPolicy = .local }, both)
        for kind in external { #expect(plan.disposition(kind).hasPrefix("local/")) }
        #expect(plan.localTexts == ["10.244.1.1:8080"])
    }

    @Test(
        "TP-6: pods and the node reach cluster-wide endpoints of an externalTrafficPolicy Local service, iTP or not",
        arguments: [Service.TrafficPolicy.cluster, .local])
    func shortCircuit(internalPolicy: Service.TrafficPolicy) {
        let service = externalService {
            $0.externalTrafficPolicy = .local
            $0.internalTrafficPolicy = internalPolicy
        }
        #expect(plan(service, both).disposition(.nodePort) == "local/cluster")
        #expect(plan(service, remote).disposition(.loadBalancer) == "drop/cluster")
        #expect(plan(service, remote).clusterTexts == ["10.244.2.1:8080"])
    }

    @Test("TP-7: externalTrafficPolicy Local with endpoints elsewhere only is silence for outside clients")
    func externalDrop() {
        let service = externalService { $0.externalTrafficPolicy = .local }
        for kind in external {
            #expect(plan(service, remote).disposition(kind) == "drop/cluster")
            #expect(plan(service, slice(.unready("10.244.2.1"))).disposition(kind) == "reject/reject")
        }
    }

    @Test("TP-8: without a detector a pod gets the local list or silence, the node itself the cluster list")
    func noDetector() {
        let planner = planner(
            [externalService { $0.externalTrafficPolicy = .local }], [remote],
            settings: settings { $0.localDetector = .none })
        let pod = planner.explain(from: .pod("10.244.1.9"), to: "1.2.3.4:80/TCP")
        #expect(pod.outcome == .drop)
        #expect(pod.rules == ["TP-8", "TP-7"])
        let node = planner.explain(from: .node(nil), to: "1.2.3.4:80/TCP")
        #expect(node.outcome == .dnat)
        #expect(node.masquerade == .always)
    }

    @Test("TP-9: with NodeCIDR a pod of another node counts as outside, with ClusterCIDR as pod-local")
    func detectorCoverage() {
        let service = externalService { $0.externalTrafficPolicy = .local }
        let nodeCIDR = planner([service], [both], settings: settings { $0.localDetector = .nodeCIDR })
        let answer = nodeCIDR.explain(from: .external("10.244.2.9"), to: "192.168.0.2:30080/TCP")
        #expect(answer.backends == ["10.244.1.1:8080"])
        let pod = nodeCIDR.explain(from: .pod("10.244.2.9"), to: "192.168.0.2:30080/TCP")
        #expect(pod.backends == ["10.244.1.1:8080"])
        #expect(pod.rules.contains("TP-9"))
        let clusterCIDR = planner([service], [both])
        let short = clusterCIDR.explain(from: .external("10.244.2.9"), to: "192.168.0.2:30080/TCP")
        #expect(short.backends == ["10.244.1.1:8080", "10.244.2.1:8080"])
        #expect(short.rules.contains("TP-9"))
    }

    @Test("TP-10: a source address that the node has, such as a bound VIP, is node-local")
    func nodeLocalByAddress() {
        let planner = planner(
            [externalService { $0.externalTrafficPolicy = .local }], [remote], addresses: ["192.168.0.2", "1.2.3.4"])
        let answer = planner.explain(from: .external("1.2.3.4"), to: "1.2.3.4:80/TCP")
        #expect(answer.outcome == .dnat)
        #expect(answer.masquerade == .always)
        #expect(answer.rules.contains("TP-10"))
        #expect(planner.explain(from: .external("1.2.3.5"), to: "1.2.3.4:80/TCP").outcome == .drop)
    }
}
