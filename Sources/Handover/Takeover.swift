// Taking over from kube-proxy on a node where Martlet has everything programmed: connections that the kernel translates
// are left to it, and the rules that would have it translate new ones go.

import Datapath
import Netlink

package struct TakeoverReport: Hashable, Sendable {
    /// What was removed.
    package var removed = KubeProxyRules()
    /// Connections that the kernel goes on translating.
    package var held = 0

    /// Tables of iptables-legacy's, which were not looked at.
    package var legacyTables: [String] = []

    package var isEmpty: Bool { removed.isEmpty }
}

extension Handover {
    /// Takes over. Killed in between, another run completes it, and nothing is lost meanwhile: what the kernel needs in
    /// order to go on is there before the first rule goes, and new connections are Martlet's all the time.
    ///
    /// - Throws: what was refused; everything before is done, and nothing after it.
    package func takeOver() throws(HandoverError) -> TakeoverReport {
        var report = TakeoverReport()
        try set(try state.subtracting(.leaving).union(.holding))
        report.removed = try netfilter { () throws(NetlinkError) in try KubeProxyRules.find(keepsForwarding: true) }
        report.held = try record()
        if !report.isEmpty {
            try netfilter { () throws(NetlinkError) in
                var kernel = try NetfilterRules()
                try kernel.keepTranslating(by: Self.table)
                try report.removed.remove()
            }
            // What came in between by ways that no hook sees.
            report.held = try record()
        }
        report.legacyTables = LegacyTables.translating()
        try set(try state.union([.holding, .taken]))
        return report
    }
}
