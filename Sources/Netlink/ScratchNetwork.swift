// A network namespace to try things in: two devices that are each other's cable, and nothing that leads anywhere.

import CLibMNL
import Glibc

package enum ScratchNetwork {
    /// Runs `body` on a new thread in a new network namespace, with the indexes of a veth pair that is down, and waits for
    /// it. Namespace and devices go away with the thread.
    ///
    /// - Throws: `isPermission` without CAP_SYS_ADMIN; `isUnsupported` where the kernel has no veth.
    package static func run<Value: Sendable>(
        _ body: @escaping @Sendable (_ left: UInt32, _ right: UInt32) throws(NetlinkError) -> Value
    ) throws(NetlinkError) -> Value {
        try DedicatedThread.run { () throws(NetlinkError) -> Value in
            guard unshare(CLONE_NEWNET) == 0 else { throw .last("make", "a network namespace") }
            try addVirtualPair()
            var socket = try RouteSocket()
            let devices = try socket.interfaces().filter { $0.kind == "veth" }.map(\.index)
            guard devices.count == 2 else {
                throw NetlinkError(operation: "find", object: "a veth pair", errno: ENODEV)
            }
            return try body(devices[0], devices[1])
        }
    }

    /// Two veth devices with names of the kernel's choice, each other's peer, in the calling thread's network namespace.
    private static func addVirtualPair() throws(NetlinkError) {
        var request = NetlinkRequest(
            type: UInt16(RTM_NEWLINK), flags: UInt16(NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL), payload: ifinfomsg())
        let name = Array("veth".utf8)
        var kind: [UInt8] = []
        kind.append(raw: UInt16(4 + name.count))
        kind.append(raw: UInt16(IFLA_INFO_KIND))
        request.appendAttribute(UInt16(IFLA_LINKINFO), kind + name)
        var socket = try NetlinkSocket(bus: NETLINK_ROUTE)
        try socket.command(request, "make a veth pair in")
    }
}
