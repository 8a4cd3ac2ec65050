// The process that runs packet programs: it lives in the world's namespace, so that the kernel finds the device and the
// routes there. Contestants take turns on one processor; what one round sees of them is compared with each other.

import BPF
import CBench
import Datapath
import Glibc
import HostCalls
import Netlink
import PacketKit

struct PacketWorker {
    let plan: PacketPlan
    private let device: UInt32
    private var datapaths: [PacketScene: Datapath] = [:]

    init(_ plan: PacketPlan) async throws {
        self.plan = plan
        try pin(toProcessor: plan.processor)
        device = unsafe if_nametoindex(PacketPlace.device)
        guard device != 0 else { throw CallFailure("if_nametoindex", PacketPlace.device, errno: errno) }
        for scene in Set(plan.cases.map(\.scene)) {
            let datapath = try Datapath(
                installing: DatapathSettings(
                    pinFolder: PinFolder(path: "\(plan.pins)/\(scene)"), cgroup: plan.cgroup,
                    sizes: PacketFill.sizes(of: scene), hostNamespaceCookie: 0))
            try await PacketFill(scene: scene).write(to: datapath, device: device)
            datapaths[scene] = datapath
        }
    }

    func run() throws -> PacketResults {
        var results: PacketResults = [:]
        _ = bench_take_precedence()
        for _ in 0..<plan.loads {
            let prologue = try PacketPrologue()
            var subjects: [PacketScene: PacketSubject] = [:]
            for (scene, datapath) in datapaths {
                subjects[scene] = try PacketSubject(datapath.settings.pinFolder, object: plan.object)
            }
            for packet in plan.cases {
                guard let subject = subjects[packet.scene], let datapath = datapaths[packet.scene] else { continue }
                let stage = try PacketStage(packet, prologue: prologue, subject: subject, datapath, device: device)
                results[packet.name, default: []].append(try stage.measure(rounds: plan.rounds, packets: plan.packets))
                try stage.clear()
            }
        }
        return results
    }
}
