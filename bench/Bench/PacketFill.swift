// Fills a datapath with a scene of the packet benchmark as the agent would: facts through the planner, the image and the
// reconciler into the maps.

import BPF
import CDatapathABI
import Datapath
import DatapathImage
import HostCalls
import LoadBalancing
import NetworkTypes
import Reconciler
import ServiceModel

struct PacketFill {
    let scene: PacketScene

    private static let node = "bench"

    /// Room for the scene.
    static func sizes(of scene: PacketScene) -> MapSizes {
        let backends = 2 * (scene.shares ? 1 : scene.services) * scene.endpoints * 2
        return MapSizes(
            frontends: UInt32(scene.services * 8 + 64), backends: UInt32(backends + 4096),
            slotWords: scene == .thousandLarge ? 8_388_608 : 1_048_576,
            services: UInt32(scene.services * 4 + 64), nodePorts: 64, connections: 64, udpPages: 64, affinity: 64,
            sourceRanges: 64, flows: scene.keepsRecords ? 1_100_000 : 64)
    }

    func write(to datapath: Datapath, device: UInt32) async throws {
        try await writeServices(to: datapath)
        try Self.describe(device, to: datapath)
        if scene == .moved { try moveEverySlot(of: datapath) }
    }

    func writeServices(to datapath: Datapath) async throws {
        let reconciler = Reconciler(store: datapath, limits: try datapath.limits(), seed: 1)
        var planner = Planner(settings: NodeSettings(nodeName: Self.node), nodeAddresses: PacketPlace.nodeAddresses)
        let change = planner.apply((0..<scene.services).flatMap { facts($0) })
        let report = await reconciler.apply(change.changed.map { ($0.name, $0.plan) }, now: .now)
        guard report.errors.isEmpty, report.failed.isEmpty else {
            throw CallFailure("fill", "\(scene): \(report.errors) \(report.failed)", errno: 5)
        }
    }

    /// Tells the programs about the node and its device, as the agent would.
    static func describe(_ device: UInt32, to datapath: Datapath) throws {
        try datapath.setTraffic(NodeTraffic(addresses: PacketPlace.nodeAddresses))
        try describe(device, in: datapath.maps)
    }

    /// Tells them about the device alone.
    static func describe(_ device: UInt32, in maps: borrowing DatapathMaps) throws {
        try maps.devices.update(
            device,
            dp_device(
                ipv4: dp_address(PacketPlace.nodeAddresses[0]), ipv6: dp_address(PacketPlace.nodeAddresses[1]),
                flags: DP_DEVICE_EXTERNAL.rawValue | DP_DEVICE_XDP_OUT.rawValue, mtu: 1500))
    }

    private func facts(_ index: Int) -> [FactChange] {
        let name = ObjectName(namespace: "bench", name: "service-\(index)")
        let service = Service(
            name: name,
            clusterIPs: [
                .ipv4: PacketPlace.clusterIP(index, isIPv6: false), .ipv6: PacketPlace.clusterIP(index, isIPv6: true),
            ],
            externalIPs: [false, true].map { PacketPlace.externalIP(index, isIPv6: $0) },
            algorithm: .maglev, forwarding: scene.isDSR ? .dsr : .snat,
            ports: protocols.map { ServicePort(name: "\($0)", protocol: $0, port: PacketPlace.port) })
        let first = scene.shares ? 0 : index * scene.endpoints
        let slices = AddressFamily.allCases.map { family in
            EndpointSlice(
                name: ObjectName(namespace: "bench", name: "service-\(index)-\(family)"), service: name,
                family: family,
                ports: protocols.map { SlicePort(name: "\($0)", protocol: $0, port: PacketPlace.backendPort) },
                endpoints: (first..<first + scene.endpoints).map { number in
                    Endpoint(
                        address: PacketPlace.endpoint(number, isIPv6: family == .ipv6), nodeName: "elsewhere")
                })
        }
        return [.service(name, service)] + slices.map { .endpointSlice($0.name, $0) }
    }

    /// UDP besides only where there is one service: what is counted is frontends.
    private var protocols: [TransportProtocol] { scene == .one || scene == .moved ? [.tcp, .udp] : [.tcp] }

    /// Has every slot count as moved: each packet looks for its flow's record.
    private func moveEverySlot(of datapath: Datapath) throws {
        let frontends = try datapath.contents().frontends
        try datapath.updateFrontends(
            frontends.filter { $1.isDSR }.map { key, record in
                var anywhere = dp_choice()
                anywhere.action = UInt8(DP_ACTION_FORWARD.rawValue)
                var moved = record
                moved.setPrevious(anywhere)
                return Transaction.FrontendUpdate(key: key, record: moved, previous: record)
            })
    }
}
