// The tables of the kernel's older interface for iptables, which nf_tables' messages do not show. Whose chains they have can
// only be asked for with iptables-legacy's own programs.

import SystemCalls

package enum LegacyTables {
    /// Those that translate packets of the calling thread's network namespace, as `ip nat`.
    package static func translating() -> [String] {
        [("ip", "/proc/net/ip_tables_names"), ("ip6", "/proc/net/ip6_tables_names")].compactMap { family, path in
            let names = (try? WholeFile.text(of: path)).flatMap { $0 } ?? ""
            return names.split(separator: "\n").contains("nat") ? "\(family) nat" : nil
        }
    }
}
