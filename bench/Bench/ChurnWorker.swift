// The process that has flows send packets while their service's backends change: the agent's own code changes the maps,
// the real XDP program forwards, and where each packet goes is compared with where its flow went first. The reference is
// as simple as can be: a dictionary from flow to backend.

import BPF
import CDatapathABI
import Datapath
import DatapathImage
import Glibc
import HostCalls
import LoadBalancing
import NetworkTypes
import PacketKit
import Reconciler
import ServiceModel

struct ChurnWorker {
    let plan: ChurnPlan

    func run() async throws -> [ChurnResult] {
        var results: [ChurnResult] = []
        for forwarding in [Service.Forwarding.dsr, .snat] {
            for isIPv6 in [false, true] {
                let name = "\(forwarding)-\(isIPv6 ? 6 : 4)"
                let datapath = try Datapath(
                    installing: DatapathSettings(
                        pinFolder: PinFolder(path: "\(plan.pins)/\(name)"), cgroup: plan.cgroup,
                        sizes: MapSizes(
                            frontends: 64, backends: 4096, slotWords: 4_194_304, services: 64, connections: 64,
                            udpPages: 64, affinity: 64, flows: UInt32(plan.flows * 4)),
                        hostNamespaceCookie: 0))
                var churn = try Churn(plan, forwarding, isIPv6, datapath)
                results.append(try await churn.run())
            }
        }
        return results
    }
}

/// One run.
private struct Churn {
    private let plan: ChurnPlan
    private let forwarding: Service.Forwarding
    private let isIPv6: Bool
    private let datapath: Datapath
    private let reconciler: Reconciler
    private let subject: PacketSubject
    private let device: UInt32
    private var planner: Planner
    private var random: SplitMix64
    private var members: [Int]
    private var weights: [Int: UInt32] = [:]
    private var nextMember: Int
    /// By number: the backend that its first packet went to.
    private var homes: [IPAddress] = []
    private var result: ChurnResult

    private static let name = ObjectName(namespace: "bench", name: "churn")

    init(_ plan: ChurnPlan, _ forwarding: Service.Forwarding, _ isIPv6: Bool, _ datapath: Datapath) throws {
        self.plan = plan
        self.forwarding = forwarding
        self.isIPv6 = isIPv6
        self.datapath = datapath
        reconciler = Reconciler(store: datapath, limits: try datapath.limits(), seed: plan.seed)
        device = unsafe if_nametoindex(PacketPlace.device)
        guard device != 0 else { throw CallFailure("if_nametoindex", PacketPlace.device, errno: errno) }
        subject = try PacketSubject(datapath.settings.pinFolder, object: nil)
        planner = Planner(settings: NodeSettings(nodeName: "bench"), nodeAddresses: PacketPlace.nodeAddresses)
        random = SplitMix64(seed: plan.seed)
        members = Array(0..<plan.endpoints)
        nextMember = plan.endpoints
        result = ChurnResult(forwarding: forwarding.rawValue, isIPv6: isIPv6)
    }

    mutating func run() async throws -> ChurnResult {
        try PacketFill.describe(device, to: datapath)
        try await publish()
        try begin(plan.flows)
        result.recordsBefore = try datapath.maps.flows.count()
        for _ in 0..<plan.changes {
            change()
            try await publish()
            for flow in homes.indices where random.next() & 1 == 0 { try send(flow) }
            try begin(max(1, plan.flows / 50))
        }
        for flow in homes.indices { try send(flow) }
        result.flows = homes.count
        result.recordsAfter = try datapath.maps.flows.count()
        await reconciler.tick(now: .now + .seconds(10))
        await reconciler.tick(now: .now + .seconds(7200))
        result.changing = try datapath.contents().frontends.values.count { $0.isChanging }
        for flow in homes.indices { try send(flow) }
        return result
    }

    /// An endpoint comes, goes, or weighs more or less than before.
    private mutating func change() {
        switch random.next() % 3 {
        case 0 where members.count > plan.endpoints / 2:
            members.remove(at: Int(random.next() % UInt64(members.count)))
        case 1:
            weights[members[Int(random.next() % UInt64(members.count))]] = UInt32(random.next() % 3) + 1
        default:
            members.append(nextMember)
            nextMember += 1
        }
    }

    private mutating func publish() async throws {
        let family: NetworkTypes.AddressFamily = isIPv6 ? .ipv6 : .ipv4
        let service = Service(
            name: Self.name, clusterIPs: [family: PacketPlace.clusterIP(0, isIPv6: isIPv6)],
            externalIPs: [PacketPlace.externalIP(0, isIPv6: isIPv6)], algorithm: .maglev, forwarding: forwarding,
            ports: [ServicePort(name: "web", protocol: .tcp, port: PacketPlace.port)])
        // A weight is a slice's: one slice for each that there is, empty ones included.
        let slices = (1...3).map { weight in
            EndpointSlice(
                name: ObjectName(namespace: "bench", name: "churn-\(weight)"), service: Self.name, family: family,
                ports: [SlicePort(name: "web", protocol: .tcp, port: PacketPlace.backendPort)],
                endpoints: members.filter { (weights[$0] ?? 1) == weight }.map {
                    Endpoint(address: PacketPlace.endpoint($0, isIPv6: isIPv6), nodeName: "elsewhere")
                }, weight: UInt32(weight))
        }
        let facts = [FactChange.service(Self.name, service)] + slices.map { .endpointSlice($0.name, $0) }
        let change = planner.apply(facts)
        let report = await reconciler.apply(change.changed.map { ($0.name, $0.plan) }, now: .now)
        guard report.errors.isEmpty, report.failed.isEmpty else {
            throw CallFailure("publish", "\(report.errors) \(report.failed)", errno: 5)
        }
    }

    private mutating func begin(_ count: Int) throws {
        for _ in 0..<count {
            let home = try forward(homes.count, .syn)
            if home == nil { result.lost += 1 }
            homes.append(home ?? IPAddress(high: 0, low: 0))
        }
    }

    private mutating func send(_ flow: Int) throws {
        guard let place = try forward(flow, .ack) else {
            result.lost += 1
            return
        }
        guard place != homes[flow] else { return }
        let survives = members.contains { PacketPlace.endpoint($0, isIPv6: isIPv6) == homes[flow] }
        if survives { result.misdirected += 1 } else { result.misdirectedOfRemoved += 1 }
    }

    /// Where the program sends a packet of the flow; nil: nowhere.
    private mutating func forward(_ flow: Int, _ flag: TCPFlags) throws -> IPAddress? {
        let client = PacketPlace.client(isIPv6: isIPv6)
        let source = IPAddress(high: client.high, low: client.low + UInt64(flow / 50_000))
        let frame = Packet.ip(from: source, to: PacketPlace.externalIP(0, isIPv6: isIPv6)).tcp(
            from: PacketPlace.firstClientPort + UInt16(flow % 50_000), to: PacketPlace.port, flag
        ).framed()
        let bytes = frame.bytes
        result.packets += 1
        let output = try subject.program.testRun(
            packet: bytes, context: PacketStage.context(length: bytes.count, device: device))
        guard output.returnValue == 3 else { return nil }
        // Translated or tunnelled: the first IP header's destination is the backend.
        return isIPv6 ? output.output.address(at: 38, length: 16) : output.output.address(at: 30, length: 4)
    }
}

extension [UInt8] {
    fileprivate func address(at offset: Int, length: Int) -> IPAddress? {
        guard count >= offset + length else { return nil }
        let number = self[offset..<offset + length]
        guard length == 16 else { return IPAddress(ipv4: number.reduce(0) { $0 << 8 | UInt32($1) }) }
        return IPAddress(
            high: number.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
            low: number.suffix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }
}
