// The loaded programs of the packet hooks, as one value to hand over.

package import BPF

package struct PacketPrograms: ~Copyable, Sendable {
    /// The two directions of TC.
    package struct Classifiers: ~Copyable, Sendable {
        package let egress: BPFProgram
        package let ingress: BPFProgram

        package init(egress: consuming BPFProgram, ingress: consuming BPFProgram) {
            self.egress = egress
            self.ingress = ingress
        }

        init(_ object: borrowing BPFObject) throws(BPFError) {
            self.init(
                egress: try object.program(named: "martlet_nodeport_egress"),
                ingress: try object.program(named: "martlet_nodeport_ingress"))
        }
    }

    /// For devices whose packets begin with an Ethernet header.
    package let framed: Classifiers
    /// For devices whose packets begin with the IP header.
    package let bare: Classifiers
    /// Nil where there is no XDP; what is attached then goes.
    package let xdp: BPFProgram?

    package init(framed: consuming Classifiers, bare: consuming Classifiers, xdp: consuming BPFProgram?) {
        self.framed = framed
        self.bare = bare
        self.xdp = xdp
    }
}
