// The packet hooks as the agent looks after them: attached to the devices that the node has, and told who is who.

import Datapath
import LoadBalancing
import Logging
import Netlink
import NetworkTypes

extension NodeAgent {
    /// Attaches to the devices that there are, and logs what is different from the last time.
    func attach() async {
        guard let devices else { return }
        do {
            let report = try await Self.follow(datapath, devices, currentTraffic())
            let old = Set(attachments?.notices ?? [])
            for notice in report.notices where !old.contains(notice) { log.warning("\(notice)") }
            if report != attachments { stateIsStale = true }
            attachments = report
        } catch {
            log.error("the packet hooks cannot follow the node's devices", metadata: ["error": "\(error)"])
        }
    }

    /// Off the actor: attaching to a device takes some milliseconds.
    @concurrent
    private static func follow(
        _ datapath: Datapath, _ devices: [NetworkDevice], _ traffic: NodeTraffic
    ) async throws -> AttachmentReport {
        try datapath.follow(devices, traffic)
    }

    /// Tells the packet hooks who is pod-local and which addresses are the node's, if that is news.
    func tellTraffic() async {
        let current = currentTraffic()
        guard datapath.hasPacketHooks, traffic != current else { return }
        do {
            try datapath.setTraffic(current)
            let devicesDiffer = traffic?.podDevices != current.podDevices
            traffic = current
            if devicesDiffer { await attach() }
        } catch {
            log.error("the packet hooks cannot be told about the node", metadata: ["error": "\(error)"])
        }
    }

    private func currentTraffic() -> NodeTraffic {
        let node = planner.servicePlanner.node
        let detector = planner.settings.localDetector
        let devices: NodeTraffic.DeviceDetector =
            switch detector {
            case .bridgeInterface(let name): .bridge(name)
            case .interfaceNamePrefix(let prefix): .prefix(prefix)
            case .none, .clusterCIDR, .nodeCIDR: .none
            }
        return NodeTraffic(
            podRanges: PerFamily { detector.range(of: $0, on: node) }, addresses: node.addresses, podDevices: devices)
    }
}
