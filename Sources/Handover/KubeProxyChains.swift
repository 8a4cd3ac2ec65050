// Which chains of iptables' tables are kube-proxy's, and not kubelet's or of others whose chains begin with KUBE- too
// (kube-router has KUBE-ROUTER-…, KUBE-POD-FW-…, KUBE-NWPLCY-…). Of iptables mode; kubelet keeps KUBE-FIREWALL,
// KUBE-KUBELET-CANARY, KUBE-IPTABLES-HINT and KUBE-MARK-DROP (COEX-8).

enum KubeProxyChains {
    /// What nftables mode has everything in.
    static let table = "kube-proxy"
    /// The tables of iptables that it uses.
    static let iptablesTables: Set<String> = ["nat", "filter", "mangle"]

    static func contains(_ name: String) -> Bool {
        names.contains(name) || prefixes.contains { name.hasPrefix($0) }
    }

    /// Lets through what kube-proxy has sent somewhere, where a node drops what nobody lets through.
    static let forwarding = "KUBE-FORWARD"
    /// Where translation begins: while nothing leads there, nothing new is translated.
    static let entry = "KUBE-SERVICES"

    private static let names: Set<String> = [
        entry, "KUBE-EXTERNAL-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ", forwarding,
        "KUBE-PROXY-FIREWALL", "KUBE-PROXY-CANARY",
    ]
    /// One chain for a service port, its policies, its firewall, its endpoints; KUBE-XLB- until Kubernetes 1.24.
    private static let prefixes = ["KUBE-SVC-", "KUBE-SVL-", "KUBE-EXT-", "KUBE-FW-", "KUBE-SEP-", "KUBE-XLB-"]
}
