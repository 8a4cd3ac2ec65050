// The configuration file is edited while the agent runs.

import Datapath
import Foundation
import HostCalls
import Inspection
import Testing
import World

@Suite("A configuration file that changes while the agent runs", .serialized)
struct ConfigurationFileTests {
    private let web = {
        var web = TestService(name: "web", address: "172.30.0.10", endpoints: [Scene.server(1)])
        web.spec = ["externalIPs: [192.0.2.7]"]
        return web
    }()
    /// The same at its ExternalIP.
    private let external = TestService(name: "web", address: "192.0.2.7", endpoints: [Scene.server(1)])

    private static func text(_ scene: Scene, _ fields: String...) -> String {
        let sizes = scene.mapSizes.map { "\($0.key): \($0.value)" }.sorted().joined(separator: ", ")
        return "apiVersion: martlet.dev/v1alpha1\nkind: MartletConfiguration\nmapSizes: {\(sizes)}\n"
            + fields.map { $0 + "\n" }.joined()
    }

    @Test("takes effect at once where it can; what cannot is named; a wrong one changes nothing and is reported")
    func live() async throws {
        try await withScene { scene in
            try scene.publish(web)
            let file = try scene.world.write(Self.text(scene), to: "live.yaml")
            let agent = try scene.start(["--config", file])
            #expect(try scene.isServed(external, by: ["web-1"]))
            try replace(file, Self.text(scene, "allowServiceExternalIPs: false", "logLevel: debug"))
            #expect(try scene.isGone(external))
            #expect(try agent.says("the configuration file has changed and is in force"))
            #expect(try agent.metric(#"martlet_configuration_changes_total{result="applied"}"#) == 1)
            #expect(try agent.metric("martlet_configuration_in_force") == 1)
            // Debug, which was not logged before.
            try scene.publish(TestService(name: "other", address: "172.30.0.20", endpoints: [Scene.server(2)]))
            #expect(try agent.says("programmed service ports"))

            try replace(file, Self.text(scene, "allowServiceExternalIP: true"))
            #expect(try agent.waits(for: #"martlet_configuration_changes_total{result="refused"}"#) { $0 == 1 })
            #expect(try agent.metric("martlet_configuration_in_force") == 0)
            #expect(
                try eventually(within: .seconds(20), every: .milliseconds(100)) {
                    try scene.status().agent.status?.problems.contains {
                        $0.file == file && $0.message.contains("allowServiceExternalIP: is not a field")
                    } == true
                })
            #expect(try scene.isServed(web, by: ["web-1"]))

            try replace(file, Self.text(scene, "xdp: 'off'", "terminateTCPConnections: true"))
            #expect(try scene.isServed(external, by: ["web-1"]))
            #expect(try agent.says("take effect at the next start: terminateTCPConnections, xdp"))
        }
    }

    @Test("is found when it is a ConfigMap's, behind symbolic links that are exchanged")
    func configMap() async throws {
        try await withScene { scene in
            try scene.publish(web)
            let folder = try scene.world.makeFolder("config")
            try fill(folder, "..1", Self.text(scene))
            try link("..1", folder + "/..data")
            try link("..data/config.yaml", folder + "/config.yaml")
            _ = try scene.start(["--config", folder + "/config.yaml"])
            #expect(try scene.isServed(external, by: ["web-1"]))
            // As the kubelet does it.
            try fill(folder, "..2", Self.text(scene, "allowServiceExternalIPs: false"))
            try link("..2", folder + "/..data_tmp")
            try scene.move(folder + "/..data_tmp", to: folder + "/..data")
            try FileManager.default.removeItem(atPath: folder + "/..1")
            #expect(try scene.isGone(external))
        }
    }

    @Test("LIFE-7: a KubeProxyConfiguration that is edited or renamed ends the agent with an error; traffic goes on")
    func kubeProxy() async throws {
        try await withScene { scene in
            try scene.publish(web)
            // Small maps, which the agent then adopts.
            let sizes = try scene.world.write(Self.text(scene), to: "sizes.yaml")
            let setUp = try scene.node.run(
                Scene.martlet(),
                [
                    "agent", "--init-only", "--config", sizes, "--pin-folder", scene.folder.path, "--cgroup",
                    scene.node.group.path, "--state-folder", scene.world.folder,
                ])
            try #require(setUp.status == .exited(0), "\(setUp.errorOutput)")
            let text = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
            for change in 0...1 {
                let file = try scene.world.write(text, to: "kube-proxy.yaml")
                let agent = try scene.start(["--config", file, "--healthz-bind-address", ""])
                if change == 0 {
                    try (text + "clusterCIDR: 10.0.0.0/8\n").write(toFile: file, atomically: false, encoding: .utf8)
                } else {
                    try scene.move(file, to: file + ".old")
                }
                #expect(agent.process.wait(within: .seconds(30)) == .exited(1), "\(agent.log)")
                #expect(agent.log.contains("kube-proxy.yaml: was edited or renamed"), "\(agent.log)")
                #expect(try scene.isServed(web, by: ["web-1"]))
            }
        }
    }

    private func replace(_ file: String, _ text: String) throws {
        try text.write(toFile: file, atomically: true, encoding: .utf8)
    }

    private func fill(_ folder: String, _ name: String, _ text: String) throws {
        try FileManager.default.createDirectory(
            atPath: "\(folder)/\(name)", withIntermediateDirectories: false)
        try text.write(toFile: "\(folder)/\(name)/config.yaml", atomically: false, encoding: .utf8)
    }

    private func link(_ target: String, _ path: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }
}
