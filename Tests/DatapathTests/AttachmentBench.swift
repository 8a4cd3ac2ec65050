// What PacketAttachmentsTests work on: two ends of a veth in the calling thread's network namespace, and programs that
// count the packets from one to the other.

import BPF
import CTestObjects
import Datapath
import Foundation
import KernelTestSupport
import Netlink
import Testing

/// Programs of bpf/test/hooks.bpf.c in a pin folder of their own.
final class AttachmentBench {
    let folder: PinFolder
    let left: UInt32
    let right: UInt32
    private let pinned: ScratchBPFFileSystem
    private let programs: PacketPrograms
    private let counting: BPFMap<UInt32, UInt64>

    struct Counts: Equatable {
        var ingress: UInt64
        var egress: UInt64
        var xdp: UInt64
    }

    /// Makes the devices. They carry no packets of their own, so that every packet that is counted is the test's.
    init() throws {
        // /proc shows the namespace of the thread that opens it.
        try "1".write(toFile: "/proc/sys/net/ipv6/conf/default/disable_ipv6", atomically: false, encoding: .utf8)
        try ip(
            """
            link add left address 02:00:00:00:00:01 type veth peer name right address 02:00:00:00:00:02
            link set left addrgenmode none
            link set right addrgenmode none
            link set left up
            link set right up
            addr add 192.0.2.1/24 dev left
            neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev left
            addr add 198.51.100.1/24 dev right
            """)
        pinned = try ScratchBPFFileSystem()
        folder = PinFolder(path: pinned.path + "/martlet")
        let object = try Self.loadObject()
        programs = try Self.programs(of: object)
        counting = try BPFMap(object.map(named: "hook_counts"))
        var route = try RouteSocket()
        let interfaces = try route.interfaces()
        left = interfaces.first { $0.name == "left" }?.index ?? 0
        right = interfaces.first { $0.name == "right" }?.index ?? 0
    }

    /// The same devices and folder with programs loaded anew, as after a restart.
    init(after other: AttachmentBench) throws {
        (folder, left, right, pinned) = (other.folder, other.left, other.right, other.pinned)
        let object = try Self.loadObject()
        programs = try Self.programs(of: object)
        counting = try BPFMap(object.map(named: "hook_counts"))
    }

    /// `count_ingress_too` counts what leaves, in a place of its own.
    private static func programs(of object: borrowing BPFObject) throws -> PacketPrograms {
        func classifiers() throws -> PacketPrograms.Classifiers {
            PacketPrograms.Classifiers(
                egress: try object.program(named: "count_ingress_too"),
                ingress: try object.program(named: "count_ingress"))
        }
        return PacketPrograms(
            framed: try classifiers(), bare: try classifiers(), xdp: try object.program(named: "count_xdp"))
    }

    private static func loadObject() throws -> BPFObject {
        let embedded = unsafe test_object_hooks()
        let image = unsafe UnsafeRawBufferPointer(start: embedded.bytes, count: embedded.count)
        var object = try unsafe BPFObject(name: "hooks", image: image)
        try object.load()
        return object
    }

    func anotherProgram() throws -> BPFProgram { try Self.loadObject().program(named: "count_xdp") }

    func attach(_ filter: ClassifierFilter) throws { try filter.attach(programs.framed.ingress) }

    func attachments(
        _ xdp: XDPChoice = .native, tcx: PacketAttachments.TCXUse = .whereAvailable
    ) -> PacketAttachments {
        PacketAttachments(folder: folder, xdp: xdp, tcx: tcx)
    }

    /// XDP goes on a veth that is named.
    static let named = PacketSettings(devices: .patterns(["left", "right", "*"]))

    func selection(_ settings: PacketSettings = AttachmentBench.named) throws -> DeviceSelection {
        var route = try RouteSocket()
        return DeviceSelection(of: try route.devices(), settings)
    }

    func follow(
        _ attachments: PacketAttachments, _ settings: PacketSettings = AttachmentBench.named
    ) throws -> AttachmentReport {
        try follow(attachments, selection(settings))
    }

    func follow(_ attachments: PacketAttachments, _ selection: DeviceSelection) throws -> AttachmentReport {
        try attachments.follow(selection, with: programs)
    }

    /// One UDP packet that leaves by `left` and arrives at `right`.
    func sendPacket() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", "echo -n x > /dev/udp/192.0.2.2/9"]
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw SupportError("no packet could be sent") }
        usleep(20_000)
    }

    func counts() throws -> Counts {
        Counts(
            ingress: try counting.lookup(0) ?? 0, egress: try counting.lookup(1) ?? 0, xdp: try counting.lookup(2) ?? 0)
    }

    func pins() throws -> [String] { try BPFFileSystem.entries(at: "\(folder.path)/links") }
    func filterPins() throws -> [String] { try BPFFileSystem.entries(at: "\(folder.path)/filters") }

    /// The kernel's numbers of the pinned links, in the order of the names.
    func linkIDs() throws -> [UInt32] {
        try pins().map { try BPFLink.open(pinned: "\(folder.path)/links/\($0)").info().id }
    }

    /// Whether what is pinned under a name is attached to the device of that index.
    func runsProgram(_ pin: String) throws -> Bool {
        guard try pins().contains(pin) else {
            let index = UInt32(pin.split(separator: "_")[2])!
            let handle: UInt32 = 0x6d61_7274
            return try ClassifierFilter(interface: index, direction: .ingress, handle: handle, priority: 5).programID()
                == programs.framed.ingress.info().id
        }
        let info = try BPFLink.open(pinned: "\(folder.path)/links/\(pin)").info()
        return info.target == .tcx(interface: left, .tcxIngress)
    }

    /// What is read from the pins from outside is what the report says.
    func expectListing(of report: AttachmentReport) throws {
        let listed = try folder.attachedDeviceHooks()
        let reported = report.devices.flatMap { device in device.hooks.map { (device.index, $0) } }
        #expect(listed.count == reported.count)
        for (index, hook) in reported {
            let found = listed.first { $0.device == index && $0.hook == hook.hook }
            #expect(found?.way == hook.way)
        }
        let ingress = try programs.framed.ingress.info().id
        #expect(listed.filter { $0.hook == .tcIngress }.allSatisfy { $0.programID == ingress })
    }
}
