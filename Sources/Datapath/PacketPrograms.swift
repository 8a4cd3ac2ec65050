// The loaded programs of the packet hooks, as one value to hand over.

package import BPF

package struct PacketPrograms: ~Copyable, Sendable {
    package let egress: BPFProgram
    package let ingress: BPFProgram
    /// Nil where there is no XDP; what is attached then goes.
    package let xdp: BPFProgram?

    package init(egress: consuming BPFProgram, ingress: consuming BPFProgram, xdp: consuming BPFProgram?) {
        self.egress = egress
        self.ingress = ingress
        self.xdp = xdp
    }
}
