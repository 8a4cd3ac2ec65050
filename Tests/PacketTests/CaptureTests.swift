// `martlet capture`: what the packet hooks handled, byte for byte as it came in and as it went out, with its end.

import BPF
import CDatapathABI
import Datapath
import Glibc
import Inspection
import KernelTestSupport
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension Lab {
    /// What a reader gets of what happens in `body`.
    fileprivate func captured(
        _ request: CaptureRequest = CaptureRequest(), _ body: () throws -> Void
    ) throws -> [CapturedPacket] {
        var reader = try CaptureReader(datapath.maps.pinFolder, request)
        try body()
        var packets: [CapturedPacket] = []
        try reader.poll(timeout: .zero) { packets.append($0) }
        return packets
    }
}

extension PacketTests {
    @Suite("Captures") struct CaptureTests {
        @Test("have a packet that is sent on as it came in and as it went out", arguments: Exchange.all, [false, true])
        func sent(_ exchange: Exchange, _ isDSR: Bool) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote]) { $0.forwarding = isDSR ? .dsr : .snat }
                let request = exchange.request(to: exchange.ground.frontend(.externalIP))
                var seen: Seen?
                let packets = try lab.captured { seen = try lab.receive(request, by: exchange.entrance) }
                let result = try #require(seen)
                #expect(packets.map(\.stage) == [.before, .after])
                #expect(
                    packets.map(\.bytes) == [
                        request.framed(Ethernet(from: Link.gateway, to: Link.eth0)).bytes, result.bytes,
                    ])
                for packet in packets {
                    #expect(packet.outcome == (isDSR ? .tunnelled : .sentOn) && packet.end == .sent)
                    #expect(packet.hook == (result.hook == .xdp ? .xdp : .tcIngress))
                    #expect(packet.interface == lab.devices["eth0"] && packet.hasLinkHeader)
                    #expect(packet.serviceID != 0 && packet.frameBytes == packet.bytes.count)
                    #expect(packet.timeNanoseconds == packets[0].timeNanoseconds)
                }
                #expect(
                    packets[0].backend
                        == AddressAndPort(address: exchange.ground.remotePod, port: Ground.backendPort))
            }
        }

        @Test("have replies, at the hook that translates them back", arguments: Exchange.all)
        func replies(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(.externalIP))
                let sent = try exchange.open(lab, request)
                let packets = try lab.captured { try exchange.expectReply(lab, to: sent, answering: request) }
                #expect(packets.map(\.outcome) == [.replied, .replied] && packets.map(\.end) == [.sent, .sent])
                try lab.serve(exchange.transport, [.local]) { $0.externalTrafficPolicy = .local }
                let own = exchange.request(to: exchange.ground.frontend(.loadBalancer), port: 41000)
                let passed = try lab.captured { _ = try lab.receive(own) }
                #expect(passed.map(\.outcome) == [.answeredLocally, .answeredLocally])
                #expect(passed.map(\.end) == [.passed, .passed])
                var translated = own
                translated.receiver = AddressAndPort(address: exchange.ground.localPod, port: Ground.backendPort)
                let leaving = try lab.captured { _ = try lab.send(exchange.reply(to: translated)) }
                #expect(leaving.map(\.hook) == [.tcEgress, .tcEgress] && leaving.map(\.end) == [.passed, .passed])
            }
        }

        @Test(
            "have a dropped packet once, a refused one with its answer, and nothing of others", arguments: Exchange.all)
        func refusals(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote]) { $0.externalTrafficPolicy = .local }
                let request = exchange.request(to: exchange.ground.frontend(.externalIP))
                let dropped = try lab.captured { _ = try lab.receive(request, by: exchange.entrance) }
                #expect(dropped.map(\.outcome) == [.noLocalEndpoints] && dropped.map(\.end) == [.dropped])
                try lab.serve(exchange.transport, [])
                let refused = try lab.captured { _ = try lab.receive(request, by: exchange.entrance) }
                #expect(
                    refused.map(\.outcome) == [.noEndpoints, .noEndpoints] && refused.map(\.end) == [.sent, .sent])
                let foreign = exchange.request(to: AddressAndPort(address: exchange.ground.otherNode, port: 80))
                #expect(try lab.captured { _ = try lab.receive(foreign, by: exchange.entrance) } == [])
            }
        }

        @Test("are of the outcomes and services that are asked for, one in so many, and so many bytes of each")
        func selection() throws {
            try withLab { lab in
                let exchange = Exchange(ground: .ipv4, transport: .udp, entrance: .xdp)
                try lab.serve(.udp, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(.externalIP))
                func run(_ times: Int) throws {
                    for _ in 0..<times { _ = try lab.receive(request, by: .xdp) }
                }
                try run(1)
                #expect(try lab.captured(CaptureRequest(outcomes: [.noRoute])) { try run(3) } == [])
                #expect(try lab.captured(CaptureRequest(services: [99])) { try run(3) } == [])
                let own = try #require(try lab.captured { try run(1) }.first).serviceID
                #expect(try lab.captured(CaptureRequest(services: [99, own])) { try run(3) }.count == 6)
                let many = Set(UInt32(100)..<UInt32(100 + CaptureRequest.servicesMax + 1))
                #expect(try lab.captured(CaptureRequest(services: many)) { try run(1) }.count == 2)
                // Each processor counts for itself, and the test may move from one to another.
                let sampled = try lab.captured(CaptureRequest(oneIn: 10)) { try run(100) }.count
                #expect((16...24).contains(sampled))
                let short = try lab.captured(CaptureRequest(snapBytes: 20)) { try run(1) }
                #expect(short.map(\.bytes.count) == [20, 20] && short.allSatisfy { $0.frameBytes == 47 })
            }
        }

        @Test("that exceed the rate are counted as lost")
        func rate() throws {
            try withLab { lab in
                let exchange = Exchange(ground: .ipv4, transport: .udp, entrance: .xdp)
                try lab.serve(.udp, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(.externalIP))
                let before = try lab.datapath.maps.count(of: .capturesLost)
                let frame = request.framed(Ethernet(from: Link.gateway, to: Link.eth0)).bytes
                let packets = try lab.captured(CaptureRequest(perSecond: 1)) {
                    for _ in 0..<200 { _ = try lab.runBare(.xdp, frame) }
                }
                let lost = try lab.datapath.maps.count(of: .capturesLost) - before
                #expect(lost > 0 && UInt64(packets.filter { $0.stage == .before }.count) + lost == 200)
            }
        }

        @Test("are off when nobody reads; a monitor beside one goes on when it ends, and the other way round")
        func switches() throws {
            try withLab { lab in
                let folder = lab.datapath.maps.pinFolder
                func isWatched() throws -> Bool { try lab.datapath.maps.watch.lookup(0) != 0 }
                do {
                    let monitor = try EventReader(folder, perSecond: 1)
                    do {
                        let capture = try CaptureReader(folder, CaptureRequest())
                        #expect(throws: CaptureReaderError.self) { _ = try CaptureReader(folder, CaptureRequest()) }
                        extendLifetime(capture)
                    }
                    #expect(try isWatched())
                    extendLifetime(monitor)
                }
                #expect(try !isWatched())
                do {
                    let capture = try CaptureReader(folder, CaptureRequest())
                    do { _ = try EventReader(folder, perSecond: 1) }
                    #expect(try isWatched())
                    extendLifetime(capture)
                }
                #expect(try !isWatched() && lab.datapath.maps.captureSwitch.lookup(0)?.until_ns == 0)
            }
        }

        @Test(
            "are a file that tshark reads: interfaces by device and hook, and comments that say what became of packets")
        func file() throws {
            try withLab { lab in
                let exchange = Exchange(ground: .ipv6, transport: .tcp, entrance: .xdp)
                try lab.serve(.tcp, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(.externalIP))
                var bytes: [UInt8] = []
                var polls = 0
                let capture = Capture(folder: lab.datapath.maps.pinFolder, services: ["test/web"], count: 2)
                let summary = try capture.run(
                    shouldStop: {
                        polls += 1
                        if polls == 1 {
                            _ = try? lab.receive(request, by: .xdp)
                            _ = try? lab.receive(request, by: .tc)
                            _ = try? lab.receive(request, by: .tc)
                        }
                        return polls > 10
                    }, write: { bytes += $0 }, lost: { _ in })
                #expect(summary.captured == 2 && summary.lost == 0)
                let lines = try TShark.fields(
                    ["frame.interface_name", "frame.comment", "ipv6.dst", "tcp.checksum.status"], of: bytes)
                let name = "service test/web; backend [\(exchange.ground.remotePod)]:8080; as it"
                #expect(
                    lines == [
                        "eth0 xdp|sent_on; sent; \(name) came in|\(exchange.ground.externalIP)|1",
                        "eth0 xdp|sent_on; sent; \(name) went out|\(exchange.ground.remotePod)|1",
                        "eth0 tc_ingress|sent_on; sent; \(name) came in|\(exchange.ground.externalIP)|1",
                        "eth0 tc_ingress|sent_on; sent; \(name) went out|\(exchange.ground.remotePod)|1",
                    ])
            }
        }
    }
}

/// tshark(1), which must be able to read what is given to it without an error.
enum TShark {
    /// The fields of each packet, with bars between them. Checksums are validated.
    static func fields(_ names: [String], of file: [UInt8]) throws -> [String] {
        let path = "/tmp/\(uniqueName("martlet_capture")).pcapng"
        defer { _ = unsafe unlink(path) }
        guard let output = unsafe fopen(path, "w") else { throw SupportError("cannot write \(path)") }
        unsafe fwrite(file, 1, file.count, output)
        unsafe fclose(output)
        let checks = ["ip", "tcp", "udp"].map { "-o \($0).check_checksum:TRUE" }.joined(separator: " ")
        let command =
            "tshark -r \(path) -n \(checks) -T fields -E separator='|' -E occurrence=f "
            + names.map { "-e \($0)" }.joined(separator: " ") + " 2>\(path).err"
        defer { _ = unsafe unlink(path + ".err") }
        guard let pipe = unsafe popen(command, "r") else { throw SupportError("cannot run \(command)") }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe fread(&chunk, 1, chunk.count, pipe)
            guard count > 0 else { break }
            text += chunk.prefix(count)
        }
        let status = unsafe pclose(pipe)
        try #require(status == 0, "\(command)")
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
