// Tells when IPv6 addresses have become usable, by the local routes that the kernel makes for them last.

import Glibc
import HostCalls
import ProbeProtocol

/// The local routes of the probe's network namespace, as /proc/net/ipv6_route shows them.
struct LocalRoutes {
    private struct Route: Hashable {
        let address: String
        let interface: String
    }

    private let routes: Set<Route>

    /// RTF_LOCAL of linux/ipv6_route.h.
    private static let localFlag: UInt32 = 0x8000_0000

    private init() throws(CallFailure) {
        // DESTINATION LENGTH SOURCE LENGTH NEXTHOP METRIC REFERENCES USES FLAGS INTERFACE, numbers in hexadecimal
        let lines = try readText("/proc/net/ipv6_route").split(separator: "\n")
        routes = Set(
            lines.compactMap { line in
                let fields = line.split(separator: " ")
                guard fields.count == 10, fields[1] == "80", let flags = UInt32(fields[8], radix: 16),
                    flags & Self.localFlag != 0
                else { return nil }
                return Route(address: String(fields[0]), interface: String(fields[9]))
            })
    }

    private func contains(_ placed: AwaitAddresses.Placed) -> Bool {
        guard let address = SocketAddress(placed.address, 0).hexadecimalV6 else { return false }
        return routes.contains(Route(address: address, interface: placed.interface))
    }

    /// Returns when all the addresses are there.
    static func await(_ call: AwaitAddresses) throws(CallFailure) -> Done {
        let end = ContinuousClock.now + .milliseconds(call.timeout)
        while true {
            let routes = try LocalRoutes()
            guard let missing = call.addresses.first(where: { !routes.contains($0) }) else { return Done() }
            if ContinuousClock.now >= end {
                throw CallFailure("await", "\(missing.address) on \(missing.interface)", errno: ETIMEDOUT)
            }
            pause(milliseconds: 1)
        }
    }
}
