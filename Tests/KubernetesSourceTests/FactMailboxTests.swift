// What is kept for a taker who does not come: the newest of each object, and never more than that.

import KubernetesSource
import NetworkTypes
import ServiceModel
import Testing

@Suite("The mailbox of facts")
struct FactMailboxTests {
    private let mailbox: FactMailbox
    private let signals: AsyncStream<Void>

    init() {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.signals = signals
        mailbox = FactMailbox(signal: signal)
        for kind in FactKind.allCases { mailbox.put([], problems: nil, isSynced: true, kind: kind) }
        _ = mailbox.take()
    }

    private static func slice(_ number: Int, at address: UInt32) -> FactChange {
        let name = ObjectName(namespace: "shop", name: "web-\(number)")
        return .endpointSlice(
            name,
            EndpointSlice(
                name: name, service: ObjectName(namespace: "shop", name: "web"), family: .ipv4,
                ports: [SlicePort(name: "web", port: 80)],
                endpoints: [Endpoint(address: IPAddress(ipv4: 0x0a00_0000 + address))]))
    }

    @Test("a flood takes the room of the objects, not of the events, and becomes one update with the newest of each")
    func flood() throws {
        for round in 0..<1000 {
            mailbox.put(
                (0..<50).map { Self.slice($0, at: UInt32(round)) }, problems: nil, isSynced: false,
                kind: .endpointSlice)
        }
        #expect(mailbox.pendingCount == 50)
        let update = try #require(mailbox.take())
        #expect(Set(update.changes) == Set((0..<50).map { Self.slice($0, at: 999) }))
        #expect(mailbox.take() == nil)
        #expect(mailbox.pendingCount == 0)
    }

    @Test("objects that come and go before anybody looks leave one deletion each")
    func comingAndGoing() throws {
        mailbox.put([Self.slice(1, at: 1)], problems: nil, isSynced: false, kind: .endpointSlice)
        _ = mailbox.take()
        let gone = FactChange.endpointSlice(ObjectName(namespace: "shop", name: "web-1"), nil)
        for round in 0..<1000 {
            mailbox.put([Self.slice(1, at: UInt32(round)), gone], problems: nil, isSynced: false, kind: .endpointSlice)
        }
        #expect(mailbox.pendingCount == 1)
        #expect(try #require(mailbox.take()).changes == [gone])
    }
}
