// Doing something in many network namespaces: what fails in one is told, and does not keep it from being done in others.

package import Netlink
package import NetworkTypes

package struct NamespaceRound {
    /// The sum of what was done.
    package private(set) var count = 0
    package private(set) var failures: [NetlinkError] = []

    package init() {}

    /// A namespace that cannot be found has gone since it was listed, with all its sockets. What cannot be found inside of
    /// one is a failure.
    package mutating func visit<Namespace: ~Copyable>(
        _ name: String, open: () throws(NetlinkError) -> Namespace,
        work: (borrowing Namespace) throws(NetlinkError) -> Int
    ) {
        let namespace: Namespace
        do throws(NetlinkError) {
            namespace = try open()
        } catch {
            if !error.isNotFound { failures.append(error) }
            return
        }
        do throws(NetlinkError) {
            count += try work(namespace)
        } catch {
            failures.append(
                NetlinkError(
                    operation: error.operation, object: "network namespace \(name)", errno: error.errno,
                    detail: error.detail))
        }
    }
}

extension NetlinkError {
    /// The same with what the kernel lacks, if that is what it says about sockets of this protocol.
    package func explained(_ transport: TransportProtocol) -> NetlinkError {
        let module = transport == .udp ? "udp_diag" : "tcp_diag"
        let reason: String? =
            if isNotFound {
                "this kernel has no diagnostics of \(transport) sockets (module \(module))"
            } else if isUnsupported {
                "this kernel cannot destroy sockets (CONFIG_INET_DIAG_DESTROY)"
            } else {
                detail
            }
        return NetlinkError(operation: operation, object: object, errno: errno, detail: reason)
    }
}
