// Going back to kube-proxy, which runs and has its rules in place: everything new is left to it from one moment on, and
// the hooks serve what they have begun until that has ended.

import BPF
import CDatapathABI
import Datapath
import Netlink
import NetworkTypes

package struct RetreatReport: Hashable, Sendable {
    /// Flows of packets that the hooks go on serving.
    package var flows = 0
    /// Those of them whose source address and port are the node's, and are reserved with the kernel now.
    package var reserved = 0
}

extension Handover {
    /// Goes back. May be repeated.
    package func retreat() throws(HandoverError) -> RetreatReport {
        // Twice: before anything new is kube-proxy's, and then what has begun between.
        _ = try reserve()
        try set(try state.union([.leaving, .holding]).subtracting(.taken))
        return try reserve()
    }

    /// The flows that the hooks still have a record of.
    package func flowsLeft() throws(HandoverError) -> Int {
        try datapath { () throws(BPFError) in try maps.flows.count() }
    }

    /// Has the kernel know the flows that are masqueraded, so that it masquerades no new one with their address and
    /// port. It would translate their packets just so, if they came to it: that is what happens when the hooks go before
    /// the flows have ended.
    private func reserve() throws(HandoverError) -> RetreatReport {
        var flows: [TranslatedConnection] = []
        var report = RetreatReport()
        let timeouts = FlowTimeouts()
        do {
            try maps.forEachFlow { flow in
                report.flows += 1
                if flow.way == .masqueraded, flow.state != .closing,
                    let kind = TransportProtocol(rawValue: flow.protocolNumber), kind != .sctp
                {
                    flows.append(
                        TranslatedConnection(
                            kind, client: flow.client, dialled: flow.frontend, backend: flow.backend, peer: flow.peer,
                            secondsLeft: kind == .tcp ? timeouts.tcpEstablished : timeouts.datagramStream))
                }
                return true
            }
        } catch let error as BPFError {
            throw .datapath(.kernel(error))
        } catch {
            throw .datapath(.kernel(BPFError(operation: "read", object: "the flows", errno: 0, detail: "\(error)")))
        }
        report.reserved = flows.count
        try netfilter { [flows] () throws(NetlinkError) in
            var table = try TranslationTable()
            for flow in flows { _ = try table.add(flow) }
        }
        return report
    }
}
