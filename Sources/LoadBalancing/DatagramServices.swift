// Which flows of UDP are stale: flows that the kernel tracks towards an endpoint which serves no longer, or that began
// before there was one (CT-3, CT-4). A value made of plans; finding and forgetting the flows is for others.

package import NetworkTypes
import ServiceModel

package struct DatagramServices: Hashable, Sendable {
    /// Who may answer, by what is dialled.
    private var byAddress: [AddressAndPort: Set<AddressAndPort>] = [:]
    /// Node ports count at every address (CT-3).
    private var byNodePort: PerFamily<[UInt16: Set<AddressAndPort>]> = PerFamily { _ in [:] }

    /// - Parameter ports: the service ports of this node, of all protocols. A port without a serving endpoint keeps
    ///   everything that it has (CT-4). Of equal addresses and node ports, whoever may answer for one may.
    package init(_ ports: some Sequence<ServicePortPlan>) {
        for port in ports where port.name.protocolKind == .udp {
            for family in port.families where !family.serving.isEmpty {
                for frontend in family.frontends {
                    if frontend.kind == .nodePort {
                        byNodePort[family.family][frontend.address.port, default: []].formUnion(family.serving)
                    } else {
                        byAddress[frontend.address, default: []].formUnion(family.serving)
                    }
                }
            }
        }
    }

    package var isEmpty: Bool { byAddress.isEmpty && AddressFamily.allCases.allSatisfy { byNodePort[$0].isEmpty } }

    /// Whether a flow should begin anew.
    ///
    /// - Parameters:
    ///   - dialled: the destination of its first packet.
    ///   - answering: the source of its replies; the same address where nothing was translated.
    package func isStale(dialled: AddressAndPort, answering: AddressAndPort) -> Bool {
        let serving = byAddress[dialled] ?? byNodePort[dialled.address.family][dialled.port]
        return serving.map { !$0.contains(answering) } ?? false
    }
}
