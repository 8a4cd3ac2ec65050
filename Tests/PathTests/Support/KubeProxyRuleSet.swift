// Rule sets of the shape that kube-proxy gives them, for the services of these tests: written from how its rules look on
// nodes, and kept to what decides where packets go.

import HostCalls
import World

enum KubeProxyMode: String, CaseIterable, Sendable {
    case iptables, nftables
}

struct KubeProxyRuleSet {
    var services: [PublishedService]
    /// The node's pods, whose traffic to ClusterIPs is not masqueraded.
    var podRanges = ["10.0.1.0/24", "fd00:1::/64"]

    private func choose(_ texts: [String], isV6: Bool) -> String { texts.first { $0.contains(":") == isV6 } ?? "" }

    private func endpoints(_ service: PublishedService, isV6: Bool) -> [String] {
        service.endpoints.map { isV6 ? $0.pod.v6 : $0.pod.v4 }
    }

    /// As kube-proxy's, of 16 characters.
    private func hash(_ parts: String...) -> String {
        let sum = parts.joined(separator: "/").utf8.reduce(UInt64(14_695_981_039_346_656_037)) {
            ($0 ^ UInt64($1)) &* 1_099_511_628_211
        }
        let text = String(sum, radix: 32).uppercased()
        return String((text + "ABCDEFGHIJKLMNOP").prefix(16))
    }
}

// MARK: iptables

extension KubeProxyRuleSet {
    /// For iptables-restore, or ip6tables-restore, with --noflush.
    func iptables(isV6: Bool) -> String {
        var chains = ["KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-MARK-MASQ", "KUBE-PROXY-CANARY"]
        chains.append("KUBE-KUBELET-CANARY")
        var first: [String] = [], nodePorts: [String] = [], rest: [String] = []
        for service in services {
            for kind in ["tcp", "udp"] {
                let name = "test/\(service.name):\(kind)"
                let cluster = choose(service.clusterIPs, isV6: isV6) + (isV6 ? "/128" : "/32")
                let (svc, ext) = ("KUBE-SVC-\(hash(name))", "KUBE-EXT-\(hash(name))")
                let match = "-p \(kind) -m comment --comment \"\(name) cluster IP\" -m \(kind) --dport \(service.port)"
                chains += [svc]
                first.append("-A KUBE-SERVICES -d \(cluster) \(match) -j \(svc)")
                rest.append("-A \(svc) ! -s \(choose(podRanges, isV6: isV6)) -d \(cluster) \(match) -j KUBE-MARK-MASQ")
                if service.nodePort != 0 {
                    chains += [ext]
                    nodePorts.append(
                        "-A KUBE-NODEPORTS -p \(kind) -m comment --comment \(name) -m \(kind) --dport \(service.nodePort) -j \(ext)"
                    )
                    rest += [
                        "-A \(ext) -m comment --comment \"masquerade traffic for \(name) external destinations\" -j KUBE-MARK-MASQ",
                        "-A \(ext) -j \(svc)",
                    ]
                }
                let endpoints = endpoints(service, isV6: isV6)
                for (index, endpoint) in endpoints.enumerated() {
                    let sep = "KUBE-SEP-\(hash(name, endpoint))"
                    chains.append(sep)
                    let left = endpoints.count - index
                    let chance =
                        left > 1 ? "-m statistic --mode random --probability \(1 / Double(left)) " : ""
                    let place = isV6 ? "[\(endpoint)]" : endpoint
                    rest += [
                        "-A \(svc) -m comment --comment \"\(name) -> \(place):\(service.targetPort)\" \(chance)-j \(sep)",
                        "-A \(sep) -s \(endpoint) -m comment --comment \(name) -j KUBE-MARK-MASQ",
                        "-A \(sep) -p \(kind) -m comment --comment \(name) -m \(kind) -j DNAT --to-destination \(place):\(service.targetPort)",
                    ]
                }
            }
        }
        let nat =
            [
                "-A PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES",
                "-A OUTPUT -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES",
                "-A POSTROUTING -m comment --comment \"kubernetes postrouting rules\" -j KUBE-POSTROUTING",
                "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
                "-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000",
                "-A KUBE-POSTROUTING -m comment --comment \"kubernetes service traffic requiring SNAT\" -j MASQUERADE --random-fully",
                "-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000",
            ] + first
            + [
                "-A KUBE-SERVICES -m comment --comment \"kubernetes service nodeports; NOTE: this must be the last rule in this chain\" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS"
            ] + nodePorts + rest
        let filterChains = [
            "KUBE-SERVICES", "KUBE-EXTERNAL-SERVICES", "KUBE-NODEPORTS", "KUBE-FORWARD", "KUBE-PROXY-FIREWALL",
            "KUBE-PROXY-CANARY", "KUBE-KUBELET-CANARY", "KUBE-FIREWALL",
        ]
        let new = "-m conntrack --ctstate NEW -m comment --comment"
        let loopback = isV6 ? "::1/128" : "127.0.0.0/8"
        let filter = [
            "-A INPUT \(new) \"kubernetes load balancer firewall\" -j KUBE-PROXY-FIREWALL",
            "-A INPUT -m comment --comment \"kubernetes health check service ports\" -j KUBE-NODEPORTS",
            "-A INPUT \(new) \"kubernetes externally-visible service portals\" -j KUBE-EXTERNAL-SERVICES",
            "-A INPUT -j KUBE-FIREWALL",
            "-A FORWARD \(new) \"kubernetes load balancer firewall\" -j KUBE-PROXY-FIREWALL",
            "-A FORWARD -m comment --comment \"kubernetes forwarding rules\" -j KUBE-FORWARD",
            "-A FORWARD \(new) \"kubernetes service portals\" -j KUBE-SERVICES",
            "-A FORWARD \(new) \"kubernetes externally-visible service portals\" -j KUBE-EXTERNAL-SERVICES",
            "-A OUTPUT \(new) \"kubernetes load balancer firewall\" -j KUBE-PROXY-FIREWALL",
            "-A OUTPUT \(new) \"kubernetes service portals\" -j KUBE-SERVICES",
            "-A OUTPUT -j KUBE-FIREWALL",
            "-A KUBE-FIREWALL ! -s \(loopback) -d \(loopback) -m comment --comment \"block incoming localnet connections\" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
            "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP",
            "-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding rules\" -m mark --mark 0x4000/0x4000 -j ACCEPT",
            "-A KUBE-FORWARD -m comment --comment \"kubernetes forwarding conntrack rule\" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        ]
        let mangle = ["KUBE-PROXY-CANARY", "KUBE-KUBELET-CANARY", "KUBE-IPTABLES-HINT"]
        return Self.table("nat", chains, nat) + Self.table("filter", filterChains, filter)
            + Self.table("mangle", mangle, [])
    }

    private static func table(_ name: String, _ chains: [String], _ rules: [String]) -> String {
        (["*\(name)"] + chains.map { ":\($0) - [0:0]" } + rules + ["COMMIT"]).map { $0 + "\n" }.joined()
    }
}

// MARK: nftables

extension KubeProxyRuleSet {
    /// For nft -f.
    func nftables(isV6: Bool, nodeAddress: String) -> String {
        let (family, type) = isV6 ? ("ip6", "ipv6_addr") : ("ip", "ipv4_addr")
        var ips: [String] = [], nodePorts: [String] = [], chains: [String] = []
        for service in services {
            for kind in ["tcp", "udp"] {
                let name = "test/\(service.name)/\(kind)/\(kind)"
                let (svc, ext) = ("service-\(hash(name))-\(name)", "external-\(hash(name))-\(name)")
                let cluster = choose(service.clusterIPs, isV6: isV6)
                ips.append("\(cluster) . \(kind) . \(service.port) : goto \(svc)")
                let endpoints = endpoints(service, isV6: isV6)
                let numbered = endpoints.enumerated().map { index, endpoint in
                    "\(index) : goto endpoint-\(hash(name, endpoint))-\(name)"
                }
                for endpoint in endpoints {
                    let place = isV6 ? "[\(endpoint)]" : endpoint
                    chains.append(
                        """
                          chain endpoint-\(hash(name, endpoint))-\(name) {
                            \(family) saddr \(endpoint) jump mark-for-masquerade
                            meta l4proto \(kind) dnat to \(place):\(service.targetPort)
                          }
                        """)
                }
                chains.append(
                    """
                      chain \(svc) {
                        \(family) daddr \(cluster) \(kind) dport \(service.port) \(family) saddr != \(choose(podRanges, isV6: isV6)) jump mark-for-masquerade
                        \(numbered.isEmpty ? "" : "numgen random mod \(endpoints.count) vmap { \(numbered.joined(separator: ", ")) }")
                      }
                      chain \(ext) {
                        jump mark-for-masquerade
                        goto \(svc)
                      }
                    """)
                if service.nodePort != 0 { nodePorts.append("\(kind) . \(service.nodePort) : goto \(ext)") }
            }
        }
        return """
            table \(family) kube-proxy {
              comment "rules for kube-proxy"
              set nodeport-ips { type \(type); elements = { \(nodeAddress) } }
              map service-ips { type \(type) . inet_proto . inet_service : verdict; \(Self.elements(ips)) }
              map service-nodeports { type inet_proto . inet_service : verdict; \(Self.elements(nodePorts)) }
              chain mark-for-masquerade { meta mark set meta mark or 0x4000; }
              chain masquerading {
                meta mark & 0x4000 == 0 return
                meta mark set meta mark ^ 0x4000
                masquerade fully-random
              }
            \(chains.joined(separator: "\n"))
              chain services {
                \(family) daddr . meta l4proto . th dport vmap @service-ips
                \(family) daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
              }
              chain nat-prerouting { type nat hook prerouting priority dstnat; jump services; }
              chain nat-output { type nat hook output priority -100; jump services; }
              chain nat-postrouting { type nat hook postrouting priority srcnat; jump masquerading; }
              chain filter-forward { type filter hook forward priority -110; ct state new jump filter-checks; }
              chain filter-checks { }
            }

            """
    }

    private static func elements(_ list: [String]) -> String {
        list.isEmpty ? "" : "elements = { \(list.joined(separator: ", ")) }"
    }
}

// MARK: On a node

extension Site {
    /// Has the first node's kernel translate as under kube-proxy.
    func addKubeProxyRules(_ mode: KubeProxyMode, for services: [PublishedService]) throws {
        let rules = KubeProxyRuleSet(services: services)
        for isV6 in [false, true] {
            switch mode {
            case .nftables: try addRules(rules.nftables(isV6: isV6, nodeAddress: isV6 ? near.v6 : near.v4))
            case .iptables: try restore(rules.iptables(isV6: isV6), isV6: isV6)
            }
        }
    }

    /// Adds to iptables' tables.
    func restore(_ text: String, isV6: Bool) throws {
        let file = try world.write(text, to: "rules-\(UInt32.random(in: 0...UInt32.max)).v\(isV6 ? 6 : 4)")
        let program = "/usr/sbin/ip\(isV6 ? "6" : "")tables-nft-restore"
        let result = try near.run(program, ["--noflush", file])
        guard result.status == .exited(0) else { throw SiteError(description: "\(program): \(result.errorOutput)") }
    }

    /// Everything that netfilter has at the first node, as text without counters.
    func rules(_ mode: KubeProxyMode) throws -> String {
        guard mode != .nftables else { return try near.run("/usr/sbin/nft", ["list", "ruleset"]).output }
        return try ["ip", "ip6"].map { family in
            try near.run("/usr/sbin/\(family)tables-nft-save", []).output.split(separator: "\n")
                .filter { !$0.hasPrefix("#") }.joined(separator: "\n")
        }.joined(separator: "\n")
    }
}
