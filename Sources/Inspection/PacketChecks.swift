// What the kernel and the node offer to the packet hooks, without which clients outside of the node are not served: the real
// programs, loaded, and attached to a device that leads nowhere; and settings of the node that lose packets.

import BPF
import Datapath
import Netlink
import NetworkTypes
import SystemCalls

struct PacketChecks {
    /// Where the node's network settings are.
    var settings = "/proc/sys/net"
    /// Of masqueraded flows.
    var sourcePorts = PacketSettings().sourcePorts

    private static let unserved = "clients outside of this node are not served"

    func findings() -> [Finding] {
        helpers() + Self.programs() + [forwarding(.ipv4), forwarding(.ipv6), reversePathFilter(), ports()]
    }

    // MARK: Programs

    private func helpers() -> [Finding] {
        [
            helper("bpf_timer", .timerStart, loss: "flows cannot end by themselves: \(Self.unserved)"),
            helper("bpf_fib_lookup", .fibLookup, loss: "routes cannot be asked for: \(Self.unserved)"),
            helper("bpf_redirect_neigh", .redirectNeighbor, loss: "packets cannot be sent on: \(Self.unserved)"),
        ]
    }

    private func helper(_ name: String, _ helper: HelperFunction, loss: String) -> Finding {
        .trying(.packets, name, loss: loss) {
            let support = KernelFeatures.probe(helper: helper, for: .classifier)
            guard support.isSupported else { throw WrongResult(support.description) }
            return "the verifier knows it in classifiers"
        }
    }

    private static func programs() -> [Finding] {
        do {
            return try ScratchNetwork.run { device, _ in PacketHook.allCases.flatMap { tryOut($0, on: device) } }
        } catch {
            return [
                Finding(
                    .packets, "scratch network", .degraded, "not made: \(Finding.shortened("\(error)"))",
                    loss: "whether the packet hooks can be attached is not known")
            ]
        }
    }

    /// Each program by itself, so that one refusal does not hide the rest.
    private static func tryOut(_ hook: PacketHook, on device: UInt32) -> [Finding] {
        do {
            let program = try ScratchPackets.load(hook)
            return [
                Finding(
                    .packets, hook.rawValue, .ok,
                    "loaded; the verifier went through \(try program.info().verifiedInstructions) instructions"),
                attaching(program, hook, to: device),
            ]
        } catch {
            return [
                Finding(
                    .packets, hook.rawValue, hook == .xdp ? .degraded : .missing, Finding.shortened("\(error)"),
                    loss: hook == .xdp ? "TC does all of the packets' work, at a higher cost" : unserved)
            ]
        }
    }

    private static func attaching(
        _ program: borrowing BPFProgram, _ hook: PacketHook, to device: UInt32
    ) -> Finding {
        let (subject, loss) =
            switch hook {
            case .tcEgress: ("TCX egress", "clsact is used instead, whose filters other tools may remove")
            case .tcIngress: ("TCX ingress", "clsact is used instead, whose filters other tools may remove")
            case .xdp:
                (
                    "XDP in the driver",
                    "veth devices are served by TC alone; what other drivers can do is in 'martlet status'"
                )
            }
        do {
            try ScratchPackets.tryAttaching(program, hook, to: device)
            return Finding(.packets, subject, .ok, "attached to a veth device in a network namespace of its own")
        } catch {
            return Finding(.packets, subject, .degraded, Finding.shortened("\(error)"), loss: loss)
        }
    }

    // MARK: The node's settings

    /// The agent reserves them when it starts, unless that is forbidden.
    private func ports() -> Finding {
        .trying(.packets, "source ports", otherwise: .degraded, loss: PortReservation.loss) {
            let reserved = try PortReservation(
                record: "", setting: "\(settings)/ipv4/ip_local_reserved_ports"
            ).current()
            let missing = PortRanges([sourcePorts]).subtracting(reserved)
            guard missing.isEmpty else {
                throw WrongResult("\(missing) are not in \(PortReservation.name); an agent puts them there")
            }
            return "\(sourcePorts.lowerBound)-\(sourcePorts.upperBound) are reserved"
        }
    }

    private func forwarding(_ family: AddressFamily) -> Finding {
        let path = family == .ipv4 ? "ipv4/ip_forward" : "ipv6/conf/all/forwarding"
        return .trying(
            .packets, "\(family) forwarding", otherwise: .degraded,
            loss: "packets that keep their client's address do not get to pods: local traffic policy and DSR"
        ) {
            guard let value = try WholeFile.text(of: "\(settings)/\(path)") else {
                throw WrongResult("there is no \(path)")
            }
            guard value.hasPrefix("1") else { throw WrongResult("net/\(path) is \(value.prefix { !$0.isNewline })") }
            return "net/\(path) is on"
        }
    }

    /// Strict (1) on a device drops what comes in by another one than the way back to its source; the larger of a device's
    /// value and that for all counts (Linux, ip-sysctl.rst).
    private func reversePathFilter() -> Finding {
        .trying(
            .packets, "reverse path filter", otherwise: .degraded,
            loss:
                "the kernel drops clients' packets there that come by another way than the one back to them, as out of "
                + "tunnels (DSR)"
        ) {
            let folder = "\(settings)/ipv4/conf"
            let names = try Directory.names(in: folder).map { String(decoding: $0, as: UTF8.self) }
            func mode(_ name: String) throws -> Int {
                let text = try WholeFile.text(of: "\(folder)/\(name)/rp_filter") ?? ""
                return Int(text.prefix { $0.isNumber }) ?? 0
            }
            let all = try mode("all")
            let devices = names.filter { !["all", "default", "lo"].contains($0) }
            let strict = try devices.filter { max(all, try mode($0)) == 1 }.sorted()
            guard strict.isEmpty else { throw WrongResult("strict on \(strict.joined(separator: ", "))") }
            return "strict on no device"
        }
    }
}
