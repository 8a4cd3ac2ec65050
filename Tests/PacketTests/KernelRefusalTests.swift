// Where the kernel refuses to make room in a frame: the drop has a name and a counter, and a packet that XDP cannot
// serve for want of room is served by TC.

import BPF
import CTestObjects
import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("What the kernel refuses") struct KernelRefusalTests {
        static let exchanges = Exchange.all.filter { $0.entrance == .tc }
        static let xdp = Exchange.all.filter { $0.entrance == .xdp && $0.transport != .sctp }

        /// A test run says that the frame has segments and not of which kind, and the kernel then makes no room.
        static let segment: UInt32 = 100

        @Test("to put a tunnel's header around is a drop that is counted", arguments: exchanges)
        func growing(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote], .dsr)
                let request = exchange.request(to: exchange.ground.frontend(.loadBalancer))
                try lab.receive(request, segment: Self.segment)
                    .expect(.dropped, nil, .tunnelled, .kernelRefused)
            }
        }

        @Test("to take a tunnel's header off is a drop that is counted, and no flow begins", arguments: exchanges)
        func shrinking(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.local], .dsr)
                let request = exchange.request(to: exchange.ground.frontend(.loadBalancer))
                let tunnel = exchange.ground.tunnelled(
                    request, from: exchange.ground.otherNode, to: exchange.ground.localPod)
                try lab.receive(tunnel, segment: Self.segment).expect(.dropped, nil, .kernelRefused)
                #expect(try lab.datapath.maps.flows.count() == 0)
            }
        }

        @Test("an error out of a tunnel about a flow that nobody knows is a drop that is counted", arguments: exchanges)
        func unknownError(_ exchange: Exchange) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, [.local], .dsr)
                let frontend = ground.frontend(.loadBalancer)
                let error = Packet.ip(from: ground.router, to: frontend.address)
                    .tooBig(mtu: 1300, about: exchange.reply(to: exchange.request(to: frontend)))
                try lab.receive(ground.tunnelled(error, from: ground.otherNode, to: ground.localPod))
                    .expect(.dropped, nil, .errorUnknown)
            }
        }

        @Test(
            "a frame without room for a tunnel's header, or for an option, is passed up as it was, and TC makes room",
            arguments: DirectReturn.all.filter { xdp.contains($0.exchange) })
        func headroom(_ direct: DirectReturn) throws {
            try withLab(direct.layout) { lab in
                let exchange = direct.exchange
                try lab.serve(exchange.transport, [.remote], .dsr)
                let request = exchange.request(to: exchange.ground.frontend(.loadBalancer))
                let frame = request.framed(Ethernet(from: Link.gateway, to: Link.eth0)).bytes
                let narrow = try NarrowDriver.before(lab)
                let before = try lab.counts()
                let first = try narrow.run(frame, on: lab)
                #expect(Verdict(first.returnValue, of: .xdp) == .passed)
                #expect(first.output == frame)
                #expect(try lab.counts()[.kernelRefused] == before[.kernelRefused])
                #expect(try lab.counts()[direct.sent] == before[direct.sent])
                var byTC = direct
                byTC.exchange.entrance = .tc
                try byTC.expectSent(lab, request)
            }
        }

        @Test("a frame that goes back with another address needs no room", arguments: xdp)
        func translation(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(.loadBalancer))
                let frame = request.framed(Ethernet(from: Link.gateway, to: Link.eth0)).bytes
                let seen = try NarrowDriver.before(lab).run(frame, on: lab)
                #expect(Verdict(seen.returnValue, of: .xdp) == .returned)
                #expect(try Frame(parsing: seen.output).packet.destination == exchange.ground.remotePod)
            }
        }
    }
}

/// In front of the lab's XDP program: moves each frame to the front of its buffer.
private struct NarrowDriver: ~Copyable {
    private let program: BPFProgram
    private let next: ProgramArray

    private init(_ program: consuming BPFProgram, before next: consuming ProgramArray) {
        self.program = program
        self.next = next
    }

    static func before(_ lab: Lab) throws -> NarrowDriver {
        let embedded = unsafe test_object_headroom()
        var object = try unsafe BPFObject(
            name: "headroom", image: UnsafeRawBufferPointer(start: embedded.bytes, count: embedded.count))
        try object.load()
        let next = try ProgramArray(try object.map(named: "next_program"))
        try lab.program(of: .xdp) { try next.set(0, to: $0) }
        return NarrowDriver(try object.program(named: "without_headroom"), before: next)
    }

    func run(_ frame: [UInt8], on lab: Lab) throws -> TestRunResult {
        try program.testRun(packet: frame, context: lab.context(.xdp, frame, at: "eth0"))
    }
}
