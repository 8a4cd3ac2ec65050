// Why a server of ours could not listen, in a sentence for an operator.

import Glibc
import NIOCore
package import NetworkTypes

package struct ListenError: Error, Hashable, Sendable {
    package var address: AddressAndPort
    /// The kernel's error number; zero when the address never got so far.
    package var errno: Int32
    package var reason: String

    init(address: AddressAndPort, cause: any Error) {
        self.address = address
        guard let error = cause as? IOError else {
            errno = 0
            reason = String(describing: cause)
            return
        }
        errno = error.errnoCode
        switch error.errnoCode {
        case EADDRINUSE: reason = "another socket listens there"
        case EADDRNOTAVAIL: reason = "this node does not have the address"
        case EACCES, EPERM: reason = "ports below 1024 need CAP_NET_BIND_SERVICE"
        case EAFNOSUPPORT: reason = "this kernel does not have the address family"
        default: reason = String(describing: error)
        }
    }
}

extension ListenError: CustomStringConvertible {
    package var description: String {
        "cannot listen on \(address): \(reason)" + (errno == 0 ? "" : " (errno \(errno))")
    }
}
