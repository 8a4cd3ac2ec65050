import BPF
import Datapath
import DatapathImage
import HostCalls
import LoadBalancing
import ManifestSource
import NetworkTypes
import ProbeProtocol
import Reconciler
import ServiceModel
import Testing
import World

@Suite("smoke")
struct SmokeTests {
    @Test("a pod reaches backends of every kind of frontend")
    func smoke() async throws {
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1", "fd50::1"])
            for i in 1...3 {
                let web = try node.addPod("web-\(i)", addresses: ["10.0.1.1\(i)", "fd00:1::1\(i)"])
                try web.serve(.tcp, port: 8080)
                try web.serve(.udp, port: 5353)
            }
            let client = try node.addPod("client", addresses: ["10.0.1.100", "fd00:1::100"])
            let pins = try world.mountPins()
            let datapath = try Datapath(installing: DatapathSettings(
                pinFolder: PinFolder(path: pins + "/martlet"), cgroup: node.group.path, hostNamespaceCookie: 1))
            var planner = Planner(settings: NodeSettings(nodeName: "worker-1", localDetector: .clusterCIDR([])))
            let reconciler = Reconciler(store: datapath, limits: try datapath.limits(), seed: 1)
            let read = Manifests.once(path: "deploy/examples")
            print(read.problems)
            let changes: [FactChange] = read.facts.map { fact in
                switch fact {
                case .service(let s): .service(s.name, s)
                case .endpointSlice(let s): .endpointSlice(s.name, s)
                case .node(let n): .node(n.name, n)
                case .serviceCIDR(let c): .serviceCIDR(c.name, c)
                }
            }
            let change = planner.apply(changes)
            print(change.problems)
            let report = await reconciler.apply(change.changed.map { ($0.name, $0.plan) }, now: .now)
            print(report)
            for (t, a, p) in [(Transport.tcp, "172.30.0.10", UInt16(80)), (.tcp, "fd99::10", 80), (.tcp, "192.168.50.1", 30080), (.tcp, "fd50::1", 30080),
                (.tcp, "192.0.2.10", 80), (.tcp, "2001:db8:1::10", 80), (.udp, "172.30.0.53", 53), (.udp, "fd99::53", 53)] {
                print(a, p, try client.ask(t, a, p, count: 60).servers)
            }
            print(try client.ask(.tcp, "172.30.0.10", 81).errors)
        }
    }
}
