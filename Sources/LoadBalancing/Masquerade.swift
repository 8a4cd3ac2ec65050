// Whose packets get a source address of this node, as one service's frontends of one family see it (the summary of section
// 8 of the rules). Hairpins are masqueraded besides, for each drawn backend (MASQ-5).

import NetworkTypes
import ServiceModel

struct Masquerade {
    /// MASQ-1, MASQ-2, MASQ-6, MASQ-8.
    let toClusterIP: FrontendPlan.Clients
    /// MASQ-3, MASQ-4, MASQ-11.
    let toExternalAddress: FrontendPlan.Clients

    init(_ policies: TrafficPolicies, family: AddressFamily, node: NodeView, settings: NodeSettings) {
        let everybody: FrontendPlan.Clients = [.host, .pods, .outside]
        if settings.masqueradeAll {
            toClusterIP = everybody
        } else {
            toClusterIP = settings.localDetector.exists(for: family, on: node) ? [.host, .outside] : []
        }
        toExternalAddress = policies.isExternalLocal ? .host : everybody
    }
}
