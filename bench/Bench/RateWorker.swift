// The process in the node's namespace that attaches Martlet as the agent does, and has both ends send frames through it and
// through a plain program in turn.

import BPF
import CBench
import Datapath
import Glibc
import HostCalls
import Netlink
import PacketKit

struct RateWorker {
    let plan: RatePlan
    private let client: RateEnd
    private let backend: RateEnd

    init(_ plan: RatePlan) throws {
        self.plan = plan
        client = try RateEnd(namespace: plan.client, home: plan.node)
        backend = try RateEnd(namespace: plan.backend, home: plan.node)
    }

    func run() async throws -> RateResults {
        var results: RateResults = [:]
        // One datapath after the other: a device has room for one XDP program.
        for scene in [PacketScene.one, .snat] {
            let cases = plan.cases.filter { $0.packet.scene == scene }
            guard !cases.isEmpty else { continue }
            let datapath = try Datapath(
                installing: DatapathSettings(
                    pinFolder: PinFolder(path: "\(plan.pins)/\(scene)"), cgroup: plan.cgroup,
                    sizes: PacketFill.sizes(of: scene), hostNamespaceCookie: 0,
                    packets: PacketSettings(devices: .patterns([RatePlace.client, RatePlace.backend]))))
            try await PacketFill(scene: scene).writeServices(to: datapath)
            for rate in cases { results[rate.name] = try measure(rate, datapath) }
            _ = try Datapath.cleanUp(datapath.settings.pinFolder, force: true)
        }
        return results
    }

    /// Without a suspension, since the thread must stay on its processor and in its namespace.
    private func measure(_ rate: RateCase, _ datapath: Datapath) throws -> RateTimes {
        try pin(toProcessor: plan.processor)
        // Frames are sent, forwarded and counted on this thread, since the cables' work is done on its way out of each call.
        _ = bench_take_precedence()
        let devices = try attach(datapath)
        let (into, outOf) = rate.isReply ? (devices.backend, devices.client) : (devices.client, devices.backend)
        let forwarder = try RateForwarder(datapath.settings.pinFolder, device: into, other: outOf)
        let frame = PacketPlace.frame(of: rate.packet, opening: false).bytes
        if rate.packet.needsRecords { try makeRecords(rate, datapath) }
        let tuples = rate.isReply ? try datapath.maps.flowReplies.entries().map { bench_tuple($0.key) } : []
        let (sender, receiver) = rate.isReply ? (backend, client) : (client, backend)
        try sender.prepare(rate.packet, frame, tuples: tuples)
        var times = RateTimes()
        for _ in 0..<plan.rounds {
            try forwarder.useMartlet()
            let (martlet, martletLost) = try rateOf(frame, from: sender, to: receiver)
            try forwarder.useRedirect()
            let (redirect, redirectLost) = try rateOf(frame, from: sender, to: receiver)
            times.martlet.append(martlet)
            times.martletLost.append(martletLost)
            times.redirect.append(redirect)
            times.redirectLost.append(redirectLost)
        }
        try forwarder.useMartlet()
        try forget(datapath)
        return times
    }

    private func rateOf(_ frame: [UInt8], from: RateEnd, to: RateEnd) throws -> (rate: Double, lost: Double) {
        let before = try to.count()
        let taken = try from.send(frame, times: plan.frames)
        let arrived = Double(try to.count() - before)
        return (arrived / (milliseconds(taken) / 1000), max(0, Double(plan.frames) - arrived))
    }

    /// As the agent attaches, to both devices in their drivers.
    private func attach(_ datapath: Datapath) throws -> (client: UInt32, backend: UInt32) {
        var socket = try RouteSocket()
        let traffic = NodeTraffic(addresses: PacketPlace.nodeAddresses)
        try datapath.setTraffic(traffic)
        let report = try datapath.follow(try socket.devices(), traffic)
        let indices = try [RatePlace.client, RatePlace.backend].map { name in
            guard let device = report.device(named: name), device.way(.xdp) == .native else {
                throw CallFailure("attach XDP", "\(name): \(datapath.notices + report.notices)", errno: 95)
            }
            return device.index
        }
        return (indices[0], indices[1])
    }

    /// Every flow opens its connection once.
    private func makeRecords(_ rate: RateCase, _ datapath: Datapath) throws {
        try forget(datapath)
        let opening = PacketPlace.frame(of: rate.packet, opening: true).bytes
        try client.prepare(rate.packet, opening)
        _ = try client.send(opening, times: rate.packet.flows)
        _ = try backend.count()
        let count = try datapath.maps.flows.count()
        guard count >= rate.packet.flows * 99 / 100 else {
            throw CallFailure("open", "\(rate.name): \(count) flows of \(rate.packet.flows)", errno: 5)
        }
    }

    private func forget(_ datapath: Datapath) throws {
        for (key, _) in try datapath.maps.flows.entries() { _ = try datapath.maps.flows.delete(key) }
        for (key, _) in try datapath.maps.flowReplies.entries() { _ = try datapath.maps.flowReplies.delete(key) }
    }
}
