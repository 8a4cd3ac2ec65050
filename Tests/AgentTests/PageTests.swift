// The pages at the metrics address, as kube-proxy's tools and people ask for them.

import Datapath
import Foundation
import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("The agent's pages", .serialized)
struct PageTests {
    @Test("MET-2: the mode, the configuration in force, flags and status have pages; profiles have none")
    func pages() async throws {
        try await withScene { scene in
            try scene.publish(TestService(name: "web", address: "172.30.0.10", endpoints: [Scene.server(1)]))
            let configuration = try scene.world.write(
                """
                apiVersion: kubeproxy.config.k8s.io/v1alpha1
                kind: KubeProxyConfiguration
                mode: ipvs
                nodePortAddresses: [192.168.0.0/16]
                ipvs: {scheduler: lc}
                """, to: "proxy.yaml")
            let agent = try scene.start(["--config", configuration])
            func body(_ path: String) throws -> [String] {
                let result = try scene.node.run(
                    "/usr/bin/curl",
                    ["-sS", "--fail", "--max-time", "20", "http://\(RunningAgent.metricsAddress)\(path)"])
                #expect(result.status == .exited(0), "\(path): \(result.errorOutput)")
                return result.output.split(separator: "\n").map(String.init)
            }
            #expect(try agent.get("/healthz").first == "HTTP/1.1 200 OK")
            #expect(try body("/proxyMode") == ["ipvs"])
            #expect(try body("/healthz") == ["ok"])
            #expect(try body("/metrics/slis").contains("kubernetes_healthcheck{name=\"ping\",type=\"healthz\"} 1"))
            let page = try body("/configz").joined()
            let all = try #require(try JSONSerialization.jsonObject(with: Data(page.utf8)) as? [String: [String: Any]])
            let proxy = try #require(all["kubeproxy.config.k8s.io"])
            #expect(proxy["kind"] as? String == "KubeProxyConfiguration" && proxy["mode"] as? String == "ipvs")
            #expect(proxy["apiVersion"] as? String == "kubeproxy.config.k8s.io/v1alpha1")
            #expect(proxy["hostnameOverride"] as? String == "worker-1")
            #expect(proxy["nodePortAddresses"] as? [String] == ["192.168.0.0/16"])
            #expect(proxy["metricsBindAddress"] as? String == "127.0.0.1:10249")
            #expect((proxy["ipvs"] as? [String: Any])?["scheduler"] as? String == "lc")
            #expect(all["martlet.dev"]?["pinFolder"] as? String == scene.folder.path)
            #expect(all["martlet.dev"]?["gracePeriod"] as? String == "1s")
            #expect(try body("/flagz").contains("--node=worker-1"))
            let status = try body("/statusz")
            #expect(status.contains("Node: worker-1") && status.contains("Synced: true"))
            #expect(status.contains { $0.hasPrefix("Paths: ") && $0.contains("/configz") })
            for path in ["/debug/pprof/", "/debug/flags/v"] {
                #expect(try agent.get(path).first?.contains("404") == true)
            }
        }
    }
}
