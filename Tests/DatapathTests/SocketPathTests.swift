import BPF
import CDatapathABI
import Datapath
import DatapathImage
import HostCalls
import NetworkTypes
import ProbeProtocol
import Reconciler
import Testing
import World

@Suite("smoke")
struct SmokeTests {
    @Test("a pod reaches backends")
    func smoke() throws {
        try withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1", "fd50::1"])
            let web = try node.addPod("web", addresses: ["10.0.1.2", "fd00:1::2"])
            let client = try node.addPod("client", addresses: ["10.0.1.3", "fd00:1::3"])
            try web.serve(.tcp, port: 8080)
            try web.serve(.udp, port: 8080)
            let pins = try world.mountPins()
            let datapath = try Datapath(installing: DatapathSettings(
                pinFolder: PinFolder(path: pins + "/martlet"), cgroup: node.group.path, hostNamespaceCookie: 1))
            for (vip, backend, p, id) in [("172.30.0.10", "10.0.1.2", TransportProtocol.tcp, UInt32(1)), ("172.30.0.10", "10.0.1.2", .udp, 2), ("fd99::10", "fd00:1::2", .tcp, 3), ("fd99::10", "fd00:1::2", .udp, 4)] {
                try datapath.writeBackends([.init(id: id, record: BackendRecord(AddressAndPort(address: IPAddress(backend)!, port: 8080), protocol: p, weight: 1))])
                var slots = SlotWrites()
                slots.append([UInt64(id)], at: id * 2)
                try datapath.writeSlots(slots)
                var r = dp_frontend()
                r.service_id = id
                r.kind = 1
                r.internal = dp_choice(set_word: id * 2, set_count: 1, table_word: 0, table_slots: 0, table_width: 0, action: 1, pad: 0)
                r.external = r.internal
                try datapath.updateFrontends([.init(key: FrontendKey(AddressAndPort(address: IPAddress(vip)!, port: 80), protocol: p), record: FrontendRecord(r))])
            }
            for vip in ["172.30.0.10", "fd99::10"] {
                let answers = try client.ask(.tcp, vip, 80, count: 100)
                print(answers)
                let a2 = try client.ask(.udp, vip, 80, count: 100)
                print(a2)
                #expect(answers.servers == ["web": 100])
                #expect(a2.servers == ["web": 100])
            }
            print(try datapath.contents().frontends.count, try datapath.maps.connections.count())
        }
    }
}
