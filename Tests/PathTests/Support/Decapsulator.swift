// What a standard tunnel device does on a machine that runs no Martlet: takes packets out of IP in IP and IPv6 in IPv6,
// and has them come in. In user space, by raw sockets and a tun device, since not every kernel that runs these tests has
// ipip and ip6tnl; what comes in is served by real sockets either way.

import CLibMNL
import Glibc
import HostCalls
import KernelTestSupport
import Synchronization
import World

final class Decapsulator: Sendable {
    private let isOver = Atomic(false)
    private let count = Atomic(0)
    private let trouble = Mutex<String?>(nil)

    /// Why it has ended before its time.
    var failure: String? { trouble.withLock { $0 } }
    /// Packets that were taken out of others.
    var packets: Int { count.load(ordering: .relaxed) }

    /// In the probe's network namespace; addresses are the ones that clients dial.
    init(in probe: Probe, for addresses: [String]) throws {
        let path = probe.namespace.path
        let outcome = Mutex<Result<Void, any Error>?>(nil)
        try startThread { [self] in
            do {
                let ends = try Ends(path, addresses)
                outcome.withLock { $0 = .success(()) }
                while !isOver.load(ordering: .relaxed) {
                    count.add(try ends.pass(), ordering: .relaxed)
                }
            } catch {
                trouble.withLock { $0 = "\(error)" }
                outcome.withLock { $0 = $0 ?? .failure(error) }
            }
        }
        while outcome.withLock({ $0 == nil }) { pause(milliseconds: 5) }
        try outcome.withLock { try $0?.get() }
    }

    func stop() { isOver.store(true, ordering: .relaxed) }
}

/// The sockets that tunnels end at, and the device behind them.
private struct Ends {
    private let sockets: [(socket: Descriptor, isV6: Bool)]
    private let device: TunDevice

    /// Takes the calling thread into the namespace for good.
    init(_ namespace: String, _ addresses: [String]) throws {
        let descriptor = try Descriptor.open(namespace, O_RDONLY)
        guard setns(descriptor.number, CLONE_NEWNET) == 0 else { throw SupportError("no way into \(namespace)") }
        device = try TunDevice("tun0")
        sockets = try [(AF_INET, Int32(IPPROTO_IPIP), false), (AF_INET6, Int32(IPPROTO_IPV6), true)].map {
            let socket = Glibc.socket($0, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), $1)
            guard socket >= 0 else { throw SupportError("no raw socket for protocol \($1)") }
            return (Descriptor(owning: socket), $2)
        }
        try ip(
            (["link set tun0 up"]
                + addresses.map { "addr add \($0)/\($0.contains(":") ? "128 dev lo nodad" : "32 dev lo")" })
                .joined(separator: "\n"))
    }

    /// Passes on what is there, or waits a little for it.
    func pass() throws -> Int {
        var passed = 0
        for (socket, isV6) in sockets where try socket.waitReadable(milliseconds: 5) {
            let packet = try socket.read(upTo: 65536)
            // An IPv4 raw socket shows the outer header, an IPv6 one does not.
            let inner = isV6 ? packet : Array(packet.dropFirst(Int((packet.first ?? 0) & 15) * 4))
            guard !inner.isEmpty else { continue }
            try device.write(inner)
            passed += 1
        }
        return passed
    }
}
