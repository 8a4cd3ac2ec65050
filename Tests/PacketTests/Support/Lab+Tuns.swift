// Two tun devices of a lab: tun0 leads out, tun9 to a pod.

import KernelTestSupport
import NetworkTypes
import PacketKit

/// Who is behind the tun devices, in each family.
struct TunPlace {
    let node, client, otherNode, remotePod, localPod: IPAddress

    init(_ ground: Ground) {
        func choose(_ ipv4: IPAddress, _ ipv6: IPAddress) -> IPAddress { ground.family == .ipv4 ? ipv4 : ipv6 }
        node = choose("10.77.0.1", "fd77::1")
        client = choose("10.77.0.9", "fd77::9")
        otherNode = choose("10.77.0.3", "fd77::3")
        remotePod = choose("10.1.77.20", "fd00:0:0:77::20")
        localPod = choose("10.1.1.77", "fd00:0:0:1::77")
    }
}

struct LabTuns {
    let outside: TunDevice
    let pod: TunDevice

    /// In the calling thread's namespace, before its devices are followed.
    init() throws {
        outside = try TunDevice("tun0")
        pod = try TunDevice("tun9")
        let devices = ["tun0", "tun9"].map { "link set \($0) addrgenmode none up" }
        let places = Ground.both.map { ground in
            let place = TunPlace(ground)
            let (length, option) = ground.family == .ipv4 ? (24, "") : (64, "nodad")
            return """
                addr add \(place.node)/\(length) dev tun0 \(option)
                route add \(place.remotePod) dev tun0
                route add \(place.localPod) dev tun9
                """
        }
        try ip((devices + places).joined(separator: "\n"))
    }
}
