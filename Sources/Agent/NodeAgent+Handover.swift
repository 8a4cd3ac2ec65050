// Connections that were there before Martlet, and that the kernel translates for kube-proxy's sake: recorded before
// anything is programmed that they were made to, and forgotten as they end (decision 16). And, if the operator says so,
// taking over.

import Datapath
import Handover
import Logging

extension NodeAgent {
    /// Dumps of the kernel's whole table cost it some 100 ms for 100,000 connections.
    private static let handoverInterval = Duration.seconds(15)

    /// When nothing was programmed so far, or an agent died while it was being programmed for the first time.
    func beginHandover() async {
        await withHandover("record the connections that the kernel translates") { [restoredFrontends] handover in
            guard try restoredFrontends == 0 || handover.state.contains(.beginning) else { return }
            _ = try handover.beginRecording()
        }
    }

    func finishHandover() async {
        var held: Int?
        await withHandover("record the connections that the kernel translates") { handover in
            if try handover.state.contains(.beginning) { held = try handover.finishRecording() }
        }
        if let held, held > 0 {
            log.info("connections that the kernel translates are left to it", metadata: ["connections": "\(held)"])
        }
        heldConnections = held
        await takeOver()
        nextHandoverSweep = .now
    }

    private func takeOver() async {
        guard settings.takesOver else { return }
        await withHandover("take over from kube-proxy") { handover in
            let state = try handover.state
            guard !state.contains(.taken), !state.contains(.leaving) else {
                log.info("kube-proxy has been taken over from before; rules that are there by now stay")
                return
            }
            if let proxy = RunningProxy.find() {
                log.warning(
                    "kube-proxy's rules are not removed while it runs: it would put them back",
                    metadata: ["pid": "\(proxy)"])
                return
            }
            let report = try handover.takeOver()
            heldConnections = report.held
            log.info(
                report.isEmpty ? "there are no rules of kube-proxy's" : "took over from kube-proxy",
                metadata: [
                    "tables": "\(report.removed.tables.count)", "chains": "\(report.removed.chains.count)",
                    "connections": "\(report.held)",
                ])
        }
    }

    /// Connections end without telling anybody.
    func sweepHandover(now: ContinuousClock.Instant) async {
        guard isSynced, let due = nextHandoverSweep, due <= now else { return }
        nextHandoverSweep = now + Self.handoverInterval
        let before = heldConnections
        await withHandover("forget connections that the kernel has forgotten") { handover in
            let left = try handover.sweep()
            heldConnections = left == 0 ? nil : left
        }
        if before != heldConnections { stateIsStale = true }
        if before != nil, heldConnections == nil {
            log.info("the last connection that was left to the kernel has ended")
        }
    }

    /// For `martlet status`.
    var handoverNotice: String? {
        if (try? datapath.maps.handoverState())?.contains(.leaving) == true {
            return "everything new is left to kube-proxy (martlet retreat), until 'martlet takeover'"
        }
        return heldConnections.map { "\($0) connections of before are left to the kernel until they end" }
    }

    /// Without it everything goes on; what was not done is tried again at the next start, or by `martlet takeover`.
    private func withHandover(_ purpose: String, _ body: (borrowing Handover) throws -> Void) async {
        do {
            try body(Handover(of: settings.datapath.pinFolder))
        } catch {
            log.error("cannot \(purpose)", metadata: ["error": "\(error)"])
        }
    }
}
