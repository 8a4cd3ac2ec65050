// Where a soak plays: one node with servers and clients, the real agent on it, and what can be done to it. A change is in
// force when the call that made it returns.

import BPF
import Datapath
import DatapathImage
import Foundation
import HostCalls
import NetworkTypes
import ProbeProtocol
import World

struct SoakFailure: Error, CustomStringConvertible {
    let description: String
}

final class SoakStage {
    /// A process without CAP_SYS_RESOURCE may be limited to 20,000 descriptors; servers' shares of connections vary.
    private static let connectionsPerProcess = 12_000

    let node: Node
    /// Dials a connection for each request; holds connections; keep them by the thousand.
    let dialler: Probe
    let holder: Probe
    let keepers: [Probe]
    private(set) var manifest: SoakManifest
    private let world: World
    private let folder: String
    private let pins: String
    private var binary: String
    private let upgrade: String?
    private var agent: ChildProcess?
    private var maps: DatapathMaps?

    init(in world: World, binary: String, upgrade: String?, standing: Int) throws {
        self.world = world
        self.binary = binary
        self.upgrade = upgrade
        node = try world.addNode("worker-1", addresses: ["192.168.50.1", "fd50::1"])
        let node = node
        let keeperCount = 1 + standing / Self.connectionsPerProcess
        let pods = try (1...max(SoakScript.servers, keeperCount)).map { number in
            let pod = try node.addPod(
                "web-\(number)", addresses: ["10.0.1.\(10 + number)", "fd00:1::\(10 + number)"])
            try pod.serve(.tcp, port: 8080)
            try pod.serve(.udp, port: 8080)
            return pod
        }
        dialler = try node.addPod("dialler", addresses: ["10.0.1.100", "fd00:1::100"])
        holder = try node.addPod("holder", addresses: ["10.0.1.101", "fd00:1::101"])
        keepers = try (1...keeperCount).map { number in
            let keeper = try node.addPod(
                "keeper-\(number)", addresses: ["10.0.1.\(110 + number)", "fd00:1::\(110 + number)"])
            try keeper.set("net.ipv4.ip_local_port_range", "1024 65535")
            return keeper
        }
        manifest = SoakManifest(pods: pods)
        folder = try world.makeFolder("manifests")
        pins = try world.mountPins() + "/martlet"
        try publish()
        try startAgent()
    }

    // MARK: What happens

    func change(_ server: Int, to state: EndpointState) throws {
        manifest.states[server] = state
        try publish()
        try awaitProgramming()
    }

    /// The change is made while no agent runs; traffic goes on as programmed.
    func killAgent(changing server: Int, to state: EndpointState) throws {
        try agent?.kill()
        manifest.states[server] = state
        try publish()
        pause(milliseconds: 300)
        try startAgent()
    }

    func upgradeAgent() throws {
        let replacement = try upgrade ?? makeReplacement()
        try agent?.terminate()
        guard agent?.wait(within: .seconds(10)) != nil else {
            throw SoakFailure(description: "the agent does not stop: \(agent?.errorOutput ?? "")")
        }
        binary = replacement
        try publish()
        try startAgent()
    }

    /// The same program in another file with another checksum: bytes after the end of an ELF file mean nothing.
    private func makeReplacement() throws -> String {
        let path = "\(world.folder)/martlet-next"
        try FileManager.default.copyItem(atPath: binary, toPath: path)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data("martlet-soak".utf8))
        try file.close()
        return path
    }

    // MARK: The agent

    private func startAgent() throws {
        agent = try node.spawn(
            binary,
            [
                "agent", "--manifests", folder, "--node", "worker-1", "--pin-folder", pins, "--cgroup", node.group.path,
                "--state-folder", world.folder, "--metrics-bind-address", "", "--grace-period", "2s",
            ])
        try awaitProgramming()
    }

    private func publish() throws {
        try manifest.next().write(toFile: "\(folder)/soak.yaml", atomically: true, encoding: .utf8)
    }

    /// Waits until the maps show the marker of the version that was published last.
    private func awaitProgramming() throws {
        guard let address = IPAddress(SoakManifest.markerAddress) else { return }
        let key = FrontendKey(AddressAndPort(address: address, port: manifest.version), protocol: .tcp)
        let isInForce = try eventually(within: .seconds(20), every: .milliseconds(2)) { () throws(BPFError) in
            if maps == nil { maps = try? DatapathMaps.open(PinFolder(path: pins)) }
            return maps == nil ? false : try Self.holds(maps!, key)
        }
        guard isInForce, agent?.exitStatus == nil else {
            throw SoakFailure(
                description: "version \(manifest.version) is not programmed: \(agent?.errorOutput ?? "no agent")")
        }
    }

    private static func holds(_ maps: borrowing DatapathMaps, _ key: FrontendKey) throws(BPFError) -> Bool {
        try maps.frontends.lookup(key) != nil
    }
}
