// Which XDP program, ours or somebody else's, sits at a network interface, and in which mode.

import CLibBPF
import Glibc

/// The XDP programs at one interface.
public struct XDPState: Hashable, Sendable {
    /// The program in the driver.
    public let native: UInt32?
    /// The program behind the driver.
    public let generic: UInt32?
    /// The program in the network card itself.
    public let offloaded: UInt32?

    /// Asks the kernel, about the calling thread's network namespace. Where there is no such interface, there is no
    /// program either.
    public static func query(interface: UInt32) throws(BPFError) -> XDPState {
        var options = bpf_xdp_query_opts()
        options.sz = optionsSize(upTo: \bpf_xdp_query_opts.attach_mode)
        let code = LibbpfMessages.catching { unsafe bpf_xdp_query(Int32(bitPattern: interface), 0, &options) }.result
        try check(code, "ask for the XDP program of", "interface \(interface)")
        let number = { (id: UInt32) in id == 0 ? nil : id }
        return XDPState(
            native: number(options.drv_prog_id), generic: number(options.skb_prog_id),
            offloaded: number(options.hw_prog_id))
    }

    /// All programs' numbers.
    public var programIDs: [UInt32] { [native, generic, offloaded].compactMap(\.self) }
}
