// Capturing packets that the packet hooks handle, with what became of them, until there is a reason to stop: as pcapng,
// and how many were lost on the way. Reads on the calling thread and blocks it; where the bytes go is the caller's business.

import BPF
package import Datapath
import DatapathImage
import FoundationEssentials
import NetworkTypes
import ServiceModel

package struct Capture: Sendable {
    package struct Summary: Hashable, Sendable {
        /// Packets, each of which may be there in two forms.
        package var captured = 0
        /// Packets, or forms of them, that could not be delivered while this ran.
        package var lost: UInt64 = 0
    }

    package var folder: PinFolder
    /// As `namespace/name:port`, or `namespace/name` for all ports of a service; empty: every packet that is handled.
    package var services: Set<String>
    /// Outcomes, share and amount. Services are those above.
    package var request: CaptureRequest
    /// Stop after so many packets.
    package var count: Int?
    package var duration: Duration?
    /// Who says that it wrote the file.
    package var application: String

    package init(
        folder: PinFolder, services: Set<String> = [], request: CaptureRequest = CaptureRequest(), count: Int? = nil,
        duration: Duration? = nil, application: String = "martlet"
    ) {
        self.folder = folder
        self.services = services
        self.request = request
        self.count = count
        self.duration = duration
        self.application = application
    }

    /// How long one wait for packets lasts, and so how late a request to stop may be heeded.
    private static let step = Duration.milliseconds(100)
    /// How often the switch is pushed forward and the lost packets are counted.
    private static let period = Duration.milliseconds(500)
    /// How often names of services are looked up anew: one may come to be while the capture runs.
    private static let namesPeriod = Duration.seconds(5)
    /// No service has this id: for services that do not exist yet.
    private static let nobody = UInt32.max

    /// Runs until `shouldStop` says so, the count is reached or the time is over. Nothing is captured afterwards.
    ///
    /// - Parameters:
    ///   - write: called with parts of the file, in their order; what it throws ends the run.
    ///   - lost: called with the number of losses since the last call.
    package func run(
        shouldStop: () -> Bool, write: ([UInt8]) throws -> Void, lost: (UInt64) -> Void
    ) throws -> Summary {
        let maps = try DatapathMaps.open(folder)
        try write(PcapngWriter.header(application: application))
        var reader = try CaptureReader(folder, try wanted(maps))
        var losses = LossCounter(try maps.count(of: .capturesLost))
        var file = CaptureFile(services: services, snapBytes: request.snapBytes, limit: count ?? .max)
        let clock = ContinuousClock()
        let start = clock.now
        var (nextPeriod, nextNames) = (start + Self.period, start + Self.namesPeriod)
        while !shouldStop(), !file.isComplete, duration.map({ clock.now - start < $0 }) ?? true {
            let left = duration.map { $0 - (clock.now - start) } ?? Self.step
            try poll(&reader, max(.zero, min(Self.step, left)), maps, &file, write)
            guard clock.now >= nextPeriod else { continue }
            nextPeriod = clock.now + Self.period
            if clock.now >= nextNames {
                nextNames = clock.now + Self.namesPeriod
                reader.request = try wanted(maps)
            }
            try reader.keepOn()
            losses.note(try maps.count(of: .capturesLost), lost)
        }
        losses.note(try maps.count(of: .capturesLost), lost)
        return Summary(captured: file.packets, lost: losses.sum)
    }

    private func poll(
        _ reader: inout CaptureReader, _ timeout: Duration, _ maps: borrowing DatapathMaps, _ file: inout CaptureFile,
        _ write: ([UInt8]) throws -> Void
    ) throws {
        var packets: [CapturedPacket] = []
        try reader.poll(timeout: timeout) { packets.append($0) }
        file.nameDevices(of: packets)
        let clock = TimeOfDay()
        for packet in packets {
            let name = packet.serviceID == 0 ? nil : try maps.services.lookup(packet.serviceID)?.name
            if let bytes = file.bytes(of: packet, service: name, clock) { try write(bytes) }
        }
    }

    /// The request with the ids that the services have now. Cost: a walk over `services` where some are named.
    private func wanted(_ maps: borrowing DatapathMaps) throws(BPFError) -> CaptureRequest {
        var request = request
        guard !services.isEmpty else { return request }
        request.services = [Self.nobody]
        for (id, record) in try maps.services.entries() {
            if let name = record.name, name.isAmong(services) { request.services.insert(id) }
        }
        return request
    }
}

/// How much was lost since a first reading of a counter.
private struct LossCounter {
    private var last: UInt64
    private(set) var sum: UInt64 = 0

    init(_ first: UInt64) { last = first }

    /// A forced cleanup and a new installation start counting anew.
    mutating func note(_ now: UInt64, _ report: (UInt64) -> Void) {
        let delta = now >= last ? now - last : now
        last = now
        guard delta > 0 else { return }
        sum += delta
        report(delta)
    }
}

extension ServicePortName {
    /// Whether one of the names is that of the port, or of its service.
    fileprivate func isAmong(_ names: Set<String>) -> Bool {
        names.contains(description) || names.contains(service.description)
    }
}

/// CLOCK_MONOTONIC and the time of day, read together.
struct TimeOfDay {
    private let now_ns: UInt64
    private let date_ns: UInt64

    init() {
        now_ns = EventReader.now()
        date_ns = UInt64(max(0, Date().timeIntervalSince1970 * 1e9))
    }

    /// Nanoseconds since 1970 at a time of CLOCK_MONOTONIC.
    func date_ns(at time_ns: UInt64) -> UInt64 { date_ns &- (now_ns &- min(time_ns, now_ns)) }
}

/// The file as it grows: which packets are in it, and what is said about them.
struct CaptureFile {
    private let services: Set<String>
    private let limit: Int
    private var writer: PcapngWriter
    private var devices: [UInt32: String] = [:]
    private(set) var packets = 0
    /// When the packets were met whose second form is still to come: both forms of a packet have one time. Those met in this
    /// period of packets' times and in the one before; a form that has not come by then was lost.
    private var (awaited, awaitedBefore): (Set<UInt64>, Set<UInt64>) = ([], [])
    private var periodBegan: UInt64 = 0
    private static let period_ns: UInt64 = 1_000_000_000
    private var polls = 0

    init(services: Set<String>, snapBytes: UInt32, limit: Int) {
        self.services = services
        self.limit = limit
        writer = PcapngWriter(snapBytes: snapBytes)
    }

    /// Second forms come right behind the first ones; one that was lost is not waited for.
    var isComplete: Bool { packets >= limit && (awaited.isEmpty && awaitedBefore.isEmpty || polls > 1) }

    /// Devices that are not known may be new, or of another network namespace: asked for once in each batch.
    mutating func nameDevices(of batch: [CapturedPacket]) {
        if packets >= limit { polls += 1 }
        guard batch.contains(where: { devices[$0.interface] == nil }) else { return }
        devices = InterfaceNames.current()
    }

    /// Nil for a packet that is not wanted.
    mutating func bytes(of packet: CapturedPacket, service: ServicePortName?, _ clock: TimeOfDay) -> [UInt8]? {
        switch packet.stage {
        case .before:
            guard packets < limit, services.isEmpty || service?.isAmong(services) ?? false else { return nil }
            packets += 1
            if packet.end != .dropped { awaitSecond(of: packet) }
        case .after:
            let time = packet.timeNanoseconds
            guard awaited.remove(time) ?? awaitedBefore.remove(time) != nil else { return nil }
        }
        let hook = packet.hook?.rawValue ?? "unknown hook"
        let device = devices[packet.interface] ?? "device \(packet.interface)"
        return writer.text(
            of: PcapngWriter.Packet(
                time_ns: clock.date_ns(at: packet.timeNanoseconds), bytes: packet.bytes,
                frameBytes: packet.frameBytes, direction: packet.stage == .before ? .inbound : .outbound,
                comment: Self.comment(packet, service)),
            at: PcapngWriter.Interface(
                name: "\(device) \(hook)", description: "packets that Martlet handled at \(hook) of \(device)",
                hasLinkHeader: packet.hasLinkHeader))
    }

    private mutating func awaitSecond(of packet: CapturedPacket) {
        let time = packet.timeNanoseconds
        // Processors are read in turns: a time may be before that of the packet before it.
        if time >= periodBegan + Self.period_ns {
            awaitedBefore = time >= periodBegan + 2 * Self.period_ns ? [] : awaited
            awaited = []
            periodBegan = time
        }
        awaited.insert(time)
    }

    /// The outcome's name first, for display filters such as `frame.comment contains "no_route"`.
    private static func comment(_ packet: CapturedPacket, _ service: ServicePortName?) -> String {
        var words = ["\(packet.outcome?.name ?? "outcome \(packet.outcomeNumber)")"]
        if let end = packet.end { words.append(end.rawValue) }
        if let service { words.append("service \(service)") }
        if let backend = packet.backend { words.append("backend \(backend)") }
        words.append(packet.stage == .before ? "as it came in" : "as it went out")
        return words.joined(separator: "; ")
    }
}
