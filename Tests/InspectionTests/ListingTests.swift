// Tables, identifiers and JSON of a snapshot written by hand. No kernel.

import CDatapathABI
import Datapath
import DatapathImage
import Inspection
import NetworkTypes
import ServiceModel
import Testing

@Suite("Listings")
struct ListingTests {
    private func snapshot() throws -> DatapathSnapshot {
        var web = dp_frontend()
        web.service_id = 2
        web.affinity_timeout_s = 10800
        web.flags = UInt16(DP_FRONTEND_MAGLEV.rawValue | DP_FRONTEND_DENY_PODS.rawValue)
        web.kind = UInt8(DP_FRONTEND_LOAD_BALANCER.rawValue)
        web.`internal`.action = UInt8(DP_ACTION_FORWARD.rawValue)
        web.external.action = UInt8(DP_ACTION_DROP.rawValue)
        var wildcard = dp_frontend()
        wildcard.kind = UInt8(DP_FRONTEND_WILDCARD.rawValue)
        let address = try #require(IPAddress("10.96.0.1"))
        let key = { (port: UInt16) in
            FrontendKey(AddressAndPort(address: address, port: port), protocol: .tcp)
        }
        let v6 = FrontendKey(try #require(AddressAndPort("[fd00::1]:80")), protocol: .tcp)
        let name = ServicePortName(
            service: ObjectName(namespace: "default", name: "web"), portName: "http", protocol: .tcp)
        let other = ServicePortName(service: ObjectName(namespace: "a", name: "z"), portName: "", protocol: .udp)
        return DatapathSnapshot(
            frontends: [
                .init(key: v6, record: FrontendRecord(web), internalSet: [7]),
                .init(key: FrontendKey(wildcard: address), record: FrontendRecord(wildcard)),
                .init(key: key(443), record: FrontendRecord(web), internalSet: [9, 7]),
                .init(key: key(80), record: FrontendRecord(web), internalSet: [9, 7]),
            ],
            backends: [
                7: BackendRecord(try #require(AddressAndPort("10.0.1.2:8080")), protocol: .tcp, weight: 1),
                9: BackendRecord(try #require(AddressAndPort("10.0.1.1:8080")), protocol: .tcp, weight: 3),
                4: BackendRecord(try #require(AddressAndPort("[fd00::9]:53")), protocol: .udp, weight: 1),
            ],
            services: [2: name, 3: other],
            counters: [2: ServiceCounters(connections: 12, refused: 1, packets: 345, bytes: 67890)])
    }

    @Test("frontends come in the order of look-ups: exact entries of an address, then its wildcard")
    func frontendOrder() throws {
        #expect(
            FrontendListing(try snapshot()).identifiers == """
                10.96.0.1:80/TCP
                10.96.0.1:443/TCP
                10.96.0.1:*
                [fd00::1]:80/TCP

                """)
    }

    @Test("the frontend table names kind, service, both actions and flags in words")
    func frontendTable() throws {
        #expect(
            FrontendListing(try snapshot()).table == """
                FRONTEND           KIND          SERVICE           INTERNAL      EXTERNAL  AFFINITY  FLAGS
                10.96.0.1:80/TCP   LoadBalancer  default/web:http  forward to 2  drop        10800s  maglev,deny-pods
                10.96.0.1:443/TCP  LoadBalancer  default/web:http  forward to 2  drop        10800s  maglev,deny-pods
                10.96.0.1:*        Wildcard      -                 invalid       invalid          -  -
                [fd00::1]:80/TCP   LoadBalancer  default/web:http  forward to 1  drop        10800s  maglev,deny-pods

                """)
    }

    @Test("the service table adds up sets and counters, and leaves out what has no frontend any more")
    func serviceTable() throws {
        #expect(
            ServiceListing(try snapshot()).table == """
                SERVICE           PROTOCOL  ID  FRONTENDS                      INTERNAL  EXTERNAL  AFFINITY  ALGORITHM  CONNECTIONS  REFUSED  PACKETS  BYTES
                default/web:http  TCP        2  10.96.0.1:80,10.96.0.1:443,+1         2         0    10800s  maglev              12        1      345  67890

                """)
    }

    @Test("backends come by address, with the services whose sets name them")
    func backendTable() throws {
        #expect(
            BackendListing(try snapshot()).table == """
                BACKEND        PROTOCOL  ID  WEIGHT  SERVICES
                10.0.1.1:8080  TCP        9       3  default/web:http
                10.0.1.2:8080  TCP        7       1  default/web:http
                [fd00::9]:53   UDP        4       1  -

                """)
        #expect(
            BackendListing(try snapshot()).identifiers == "10.0.1.1:8080/TCP\n10.0.1.2:8080/TCP\n[fd00::9]:53/UDP\n")
    }

    @Test("JSON says null for what is absent and has every element")
    func json() throws {
        let text = try ServiceListing(try snapshot()).json()
        #expect(!text.contains("\"a\""))
        #expect(text.contains("\"sessionAffinitySeconds\" : 10800"))
        #expect(text.contains("\"[fd00::1]:80/TCP\""))
        let frontends = try FrontendListing(try snapshot()).json()
        #expect(frontends.contains("\"protocol\" : null"))
        #expect(frontends.contains("\"10.0.1.1:8080\""))
    }

    @Test("an empty list prints nothing, and an empty array in JSON")
    func empty() throws {
        let empty = DatapathSnapshot()
        #expect(ServiceListing(empty).table.isEmpty)
        #expect(BackendListing(empty).identifiers.isEmpty)
        #expect(try FrontendListing(empty).json() == "[\n\n]\n")
    }
}
