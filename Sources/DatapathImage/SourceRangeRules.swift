// What a plan puts into `source_ranges`: one entry for each range of a service port's load-balancer frontends, and what
// else it takes for the longest prefix to give the right answer in both families.

import LoadBalancing
import NetworkTypes
import ServiceModel

typealias SourceRangeRules = [SourceRangeKey: SourceAdmission]

extension ServicePortPlan {
    /// The entries under the service id; empty for an unrestricted service port. Who is in none of them is not admitted.
    func sourceRangeRules(id: UInt32) -> SourceRangeRules {
        var rules: SourceRangeRules = [:]
        for family in families {
            for frontend in family.frontends where !frontend.sourceRanges.isEmpty {
                let ranges = frontend.sourceRanges.map { SourceRangeKey($0, serviceID: id) }
                switch frontend.sourceRangesPolicy {
                case .allow:
                    for range in ranges { rules[range] = .allow }
                case .deny:
                    rules[SourceRangeKey(.everything(of: family.family), serviceID: id)] = .allow
                    for range in ranges { rules[range] = .deny }
                }
                for source in frontend.virtualSources { rules[SourceRangeKey(CIDR(source), serviceID: id)] = .allow }
            }
        }
        keepFamiliesApart(&rules, id)
        return rules
    }

    /// IPv4 is IPv4-mapped, so that a range of IPv6 may hold all of it: an IPv4 source must not find that one.
    private func keepFamiliesApart(_ rules: inout SourceRangeRules, _ id: UInt32) {
        guard rules.keys.contains(where: \.coversMappedAddresses), rules.keys.contains(where: { $0.family == .ipv4 })
        else { return }
        let everything = SourceRangeKey(.everything(of: .ipv4), serviceID: id)
        if rules[everything] == nil { rules[everything] = .deny }
    }
}
