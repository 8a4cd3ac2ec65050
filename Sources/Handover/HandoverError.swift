// Why a handover is refused or has stopped, in sentences.

import BPF
package import Datapath
package import Netlink

package enum HandoverError: Error, CustomStringConvertible {
    case datapath(DatapathError)
    case netfilter(NetlinkError)
    /// Another handover is going on.
    case busy
    /// Not all connections that the kernel translates could be recorded.
    case tooMany(connections: Int, room: Int)

    package var description: String {
        switch self {
        case .datapath(let error): "\(error)"
        case .netfilter(let error): "\(error)"
        case .busy: "another handover from or to kube-proxy is going on"
        case .tooMany(let connections, let room):
            "the kernel translates \(connections) connections, and there is room to record \(room) directions of "
                + "them: nothing was removed"
        }
    }
}

/// Runs calls on the datapath where other errors are possible as well.
func datapath<Result: ~Copyable>(_ body: () throws(BPFError) -> Result) throws(HandoverError) -> Result {
    do {
        return try body()
    } catch {
        throw .datapath(.kernel(error))
    }
}

/// The same for netfilter.
func netfilter<Result: ~Copyable>(_ body: () throws(NetlinkError) -> Result) throws(HandoverError) -> Result {
    do {
        return try body()
    } catch {
        throw .netfilter(error)
    }
}
