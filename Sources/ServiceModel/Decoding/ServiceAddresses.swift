// The addresses of a Service: ClusterIPs by family, ExternalIPs, load-balancer IPs, and the source ranges. Lists lose
// their invalid entries, with a problem each, and their duplicates; the order stays. Addresses that no service can have
// are invalid: all their other ports would be refused (SVC-12), those of 127.0.0.1 among them.

import NetworkTypes

enum ServiceAddresses {
    struct ClusterIPs {
        var isHeadless: Bool
        var addresses: [AddressFamily: IPAddress]
    }

    /// SVC-13: with `ipFamilies`, the address of a family stands at the place of the family; without, `clusterIP`
    /// counts for its own family only. What the API server fills in is filled in here: `clusterIPs` is [`clusterIP`]
    /// when unset, and the other way round.
    static func clusterIPs(_ spec: FieldValue, _ problems: inout [FieldProblem]) throws(FieldProblem) -> ClusterIPs {
        let list = try spec.strings("clusterIPs")
        let first = try spec.string("clusterIP") ?? list.first ?? ""
        guard !first.isEmpty, first != "None" else {
            if first.isEmpty {
                problems.append(FieldProblem("clusterIP", "is not set; nothing is served for this Service (SVC-7)"))
            }
            return ClusterIPs(isHeadless: true, addresses: [:])
        }
        let families = try families(spec)
        guard !families.isEmpty else {
            let address = try address(first, "clusterIP")
            return ClusterIPs(isHeadless: false, addresses: [address.family: address])
        }
        return ClusterIPs(
            isHeadless: false, addresses: try match(families, with: list.isEmpty ? [first] : list, &problems))
    }

    private static func match(
        _ families: [AddressFamily], with list: [String], _ problems: inout [FieldProblem]
    ) throws(FieldProblem) -> [AddressFamily: IPAddress] {
        var addresses: [AddressFamily: IPAddress] = [:]
        for (index, (family, text)) in zip(families, list).enumerated() where addresses[family] == nil {
            let address = try address(text, "clusterIPs[\(index)]")
            guard address.family == family else {
                problems.append(
                    FieldProblem(
                        "clusterIPs[\(index)]",
                        "\(address) is not of the family \(family) in ipFamilies[\(index)]; the Service has no \(family)"
                    ))
                continue
            }
            addresses[family] = address
        }
        return addresses
    }

    private static func families(_ spec: FieldValue) throws(FieldProblem) -> [AddressFamily] {
        try spec.strings("ipFamilies").enumerated().map { (index, text) throws(FieldProblem) in
            guard let family = AddressFamily(kubernetesName: text) else {
                throw FieldProblem("ipFamilies[\(index)]", "\(FieldValue.quoted(text)) is neither IPv4 nor IPv6")
            }
            return family
        }
    }

    private static func address(_ text: String, _ field: String) throws(FieldProblem) -> IPAddress {
        guard let address = IPAddress(text) else {
            throw FieldProblem(field, "\(FieldValue.quoted(text)) is not an IP address")
        }
        guard address.isServable else { throw FieldProblem(field, unservable(address)) }
        return address
    }

    private static func unservable(_ address: IPAddress) -> String {
        "\(address) is not the address of a host that others can reach"
    }

    /// INV-2: blank entries are left out silently, invalid ones with a problem.
    static func externalIPs(_ spec: FieldValue, _ problems: inout [FieldProblem]) throws(FieldProblem) -> [IPAddress] {
        var addresses: [IPAddress] = []
        for (index, text) in try spec.strings("externalIPs").enumerated() where !text.allSatisfy(\.isWhitespace) {
            guard let address = IPAddress(text) else {
                problems.append(
                    FieldProblem(
                        "externalIPs[\(index)]", "\(FieldValue.quoted(text)) is not an IP address; it is skipped"))
                continue
            }
            guard address.isServable else {
                problems.append(FieldProblem("externalIPs[\(index)]", unservable(address) + "; it is skipped"))
                continue
            }
            addresses.append(address)
        }
        return addresses.withoutDuplicates()
    }

    /// LBSR-7, INV-3: white space around is trimmed, blank entries are left out silently, invalid ones with a problem.
    static func sourceRanges(_ spec: FieldValue, _ problems: inout [FieldProblem]) throws(FieldProblem) -> [CIDR] {
        var ranges: [CIDR] = []
        for (index, text) in try spec.strings("loadBalancerSourceRanges").enumerated() {
            let trimmed = text.trimmed
            guard !trimmed.isEmpty else { continue }
            guard let range = CIDR(trimmed) else {
                problems.append(
                    FieldProblem(
                        "loadBalancerSourceRanges[\(index)]",
                        "\(FieldValue.quoted(text)) is not a CIDR (such as 192.0.2.0/24); it is skipped"))
                continue
            }
            ranges.append(range)
        }
        return ranges.withoutDuplicates()
    }

    /// SVC-4, SVC-6: addresses of `status.loadBalancer.ingress` whose ipMode is VIP or unset. Entries with a hostname
    /// only are left out silently.
    static func loadBalancerIPs(
        _ object: FieldValue, _ problems: inout [FieldProblem]
    ) throws(FieldProblem) -> [IPAddress] {
        let entries =
            try object.mapObject("status") { (status) throws(FieldProblem) in
                try status.mapObject("loadBalancer") { (balancer) throws(FieldProblem) in
                    try balancer.mapArray("ingress") { (entry) throws(FieldProblem) in try ingress(entry) }
                } ?? []
            } ?? []
        let path = "status.loadBalancer.ingress"
        var addresses: [IPAddress] = []
        for (index, entry) in entries.enumerated() where !entry.text.isEmpty {
            if let mode = entry.oddMode {
                problems.append(
                    FieldProblem(
                        "\(path)[\(index)].ipMode",
                        "\(FieldValue.quoted(mode)) is neither VIP nor Proxy; it is not served"))
            } else if let address = IPAddress(entry.text) {
                // A load balancer may well be given a link-local address, between itself and the node.
                if !address.isHost || address.isLoopback {
                    problems.append(FieldProblem("\(path)[\(index)].ip", unservable(address) + "; it is skipped"))
                } else if entry.isServed {
                    addresses.append(address)
                }
            } else {
                problems.append(
                    FieldProblem(
                        "\(path)[\(index)].ip", "\(FieldValue.quoted(entry.text)) is not an IP address; it is skipped"))
            }
        }
        return addresses.withoutDuplicates()
    }

    private struct Ingress {
        var text: String
        var isServed: Bool
        var oddMode: String?
    }

    private static func ingress(_ entry: FieldValue) throws(FieldProblem) -> Ingress {
        guard case .object = entry else { throw entry.mismatch("", wanted: .object) }
        let text = try entry.string("ip") ?? ""
        switch try entry.string("ipMode") {
        case nil, "VIP": return Ingress(text: text, isServed: true, oddMode: nil)
        case "Proxy": return Ingress(text: text, isServed: false, oddMode: nil)
        case .some(let mode): return Ingress(text: text, isServed: false, oddMode: mode)
        }
    }
}

extension IPAddress {
    /// What the API server admits as an ExternalIP (its ValidateNonSpecialIP), less other multicast and broadcast.
    fileprivate var isServable: Bool { isHost && !isLoopback && !isLinkLocal }
}

extension Array where Element: Hashable {
    /// The first of each, in order.
    func withoutDuplicates() -> [Element] {
        guard count > 1 else { return self }
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}

extension String {
    /// Without white space at either end.
    var trimmed: Substring {
        let head = drop { $0.isWhitespace }
        let count = head.reversed().prefix { $0.isWhitespace }.count
        return head.dropLast(count)
    }
}

extension AddressFamily {
    /// Reads "IPv4" or "IPv6", as in `ipFamilies` and `addressType`.
    init?(kubernetesName name: String) {
        guard let family = Self.allCases.first(where: { $0.description == name }) else { return nil }
        self = family
    }
}
