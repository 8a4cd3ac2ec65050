// What forwards at one of the node's devices: Martlet's XDP program, where and as the agent attached it, or in its place, under
// the same link, a program that sends every frame out of the other device.

import BPF
import CBench
import Datapath

final class RateForwarder {
    private let link: BPFLink
    private let martlet: BPFProgram
    private let redirect: BPFProgram

    /// - Parameters:
    ///   - folder: of the datapath whose program is attached.
    ///   - device: where frames come in.
    ///   - other: where the plain program sends them.
    init(_ folder: PinFolder, device: UInt32, other: UInt32) throws(BPFError) {
        let link = try BPFLink.open(pinned: folder.pin(of: .xdp, device: device))
        let martlet = try BPFProgram.open(id: link.info().programID)
        var object = try Self.object(sendingTo: other)
        try object.load()
        let redirect = try object.program(named: "rate_redirect")
        self.link = link
        self.martlet = martlet
        self.redirect = redirect
    }

    func useMartlet() throws(BPFError) { try link.update(program: martlet) }
    func useRedirect() throws(BPFError) { try link.update(program: redirect) }

    /// The bench's programs, with the interface that they send to.
    static func object(sendingTo interface: UInt32) throws(BPFError) -> BPFObject {
        let image = unsafe UnsafeRawBufferPointer(start: bench_rate_object(), count: bench_rate_object_size())
        var object = try unsafe BPFObject(name: "rate", image: image)
        try object.setConstant("out_interface", interface)
        return object
    }
}
