// What is told, what is counted and what is dropped: on a clock of the tests' own.

import Foundation
import KubernetesEvents
import ServiceModel
import Testing

@Suite("The book of events")
struct EventBookTests {
    private static let start = ContinuousClock.now

    private static func moment(_ seconds: Int) -> EventBook.Moment {
        EventBook.Moment(
            instant: start + .seconds(seconds), date: Date(timeIntervalSince1970: 1_800_000_000 + Double(seconds)))
    }

    private static func notice(_ note: String = "a note", of service: String = "web") -> EventNotice {
        EventNotice(
            .warning,
            regarding: EventObject(
                ObjectIdentity(kind: .service, name: ObjectName(namespace: "shop", name: service)), uid: "u"),
            reason: "Reason", action: "Action", note: note)
    }

    /// Sends what waits, and returns it.
    private static func send(_ book: inout EventBook, at seconds: Int) -> [EventWrite] {
        var writes: [EventWrite] = []
        while let write = book.next() {
            writes.append(write)
            book.finish(write, .done, at: moment(seconds).instant)
        }
        return writes
    }

    @Test("API-7: the same again is no new event, but a series with a count")
    func series() throws {
        var book = EventBook()
        book.note(Self.notice(), at: Self.moment(0))
        let first = try #require(Self.send(&book, at: 0).first)
        #expect(first.isNew && first.count == 1)
        book.note(Self.notice(), at: Self.moment(100))
        let second = Self.send(&book, at: 100)
        #expect(second.map(\.isNew) == [false] && second.map(\.count) == [2])
        #expect(second.first?.name == first.name && second.first?.first == first.first)
        // More of it is counted, and told once a minute.
        for _ in 0..<10 { book.note(Self.notice(), at: Self.moment(110)) }
        #expect(book.isIdle)
        book.tend(at: Self.moment(159).instant)
        #expect(book.isIdle)
        book.tend(at: Self.moment(160).instant)
        #expect(Self.send(&book, at: 160).map(\.count) == [12])
        #expect(book.counters.created == 1 && book.counters.updated == 2 && book.counters.repeated == 11)
    }

    @Test("API-7: after six quiet minutes there is a new event")
    func quiet() {
        var book = EventBook()
        book.note(Self.notice(), at: Self.moment(0))
        let first = Self.send(&book, at: 0)
        book.tend(at: Self.moment(360).instant)
        book.note(Self.notice(), at: Self.moment(361))
        let second = Self.send(&book, at: 361)
        #expect(second.map(\.isNew) == [true] && second.first?.name != first.first?.name)
    }

    @Test("what is repeated before it could be sent is sent as one")
    func repeatedWhileWaiting() {
        var book = EventBook()
        for second in [0, 1000, 2000] { book.note(Self.notice(), at: Self.moment(second)) }
        let writes = Self.send(&book, at: 2000)
        #expect(writes.map(\.isNew) == [true] && writes.map(\.count) == [3])
    }

    @Test("one object gets 25 events, and one more every five minutes; others get theirs")
    func rate() {
        var book = EventBook()
        for number in 0..<40 { book.note(Self.notice("\(number)"), at: Self.moment(0)) }
        book.note(Self.notice(of: "other"), at: Self.moment(0))
        #expect(Self.send(&book, at: 0).count == 26)
        #expect(book.counters.dropped == [.rate: 15])
        for number in 40..<50 { book.note(Self.notice("\(number)"), at: Self.moment(601)) }
        #expect(Self.send(&book, at: 601).count == 2)
    }

    @Test("what finds no room in the queue is dropped and counted; what is remembered is bounded")
    func bounds() {
        var limits = EventLimits()
        limits.queue = 10
        limits.remembered = 20
        limits.objects = 30
        var book = EventBook(limits: limits)
        for number in 0..<15 { book.note(Self.notice(of: "s\(number)"), at: Self.moment(number)) }
        #expect(Self.send(&book, at: 20).count == 10)
        #expect(book.counters.dropped == [.queueFull: 5])
        for number in 15..<100 {
            book.note(Self.notice(of: "s\(number)"), at: Self.moment(100))
            _ = Self.send(&book, at: 100)
        }
        // Thirty objects have their buckets; nobody knows of the others how many events they have had.
        #expect(book.counters.created == 30)
        // The first one was forgotten for the sake of later ones, and its series with it.
        book.note(Self.notice(of: "s0"), at: Self.moment(101))
        #expect(book.next()?.isNew == true)
        // When their time is over there is room for others.
        book.note(Self.notice(of: "s99"), at: Self.moment(401))
        #expect(Self.send(&book, at: 401).count == 2)
    }

    @Test("a series whose event is gone goes on in a new one; what is refused is forgotten")
    func answers() throws {
        var book = EventBook()
        book.note(Self.notice(), at: Self.moment(0))
        _ = Self.send(&book, at: 0)
        book.note(Self.notice(), at: Self.moment(1))
        let patch = try #require(book.next())
        book.finish(patch, .gone, at: Self.moment(1).instant)
        let again = try #require(book.next())
        #expect(again.isNew && again.count == 2)
        book.finish(again, .dropped(.refused), at: Self.moment(1).instant)
        #expect(book.isIdle && book.counters.dropped == [.refused: 1])
        book.note(Self.notice(), at: Self.moment(2))
        #expect(book.next()?.isNew == true && book.next()?.count == 1)
    }

    @Test("API-7: a note that is too long is cut to 1 KiB, and to whole characters")
    func longNote() {
        let note = Self.notice(String(repeating: "ä🙂", count: 400)).note
        #expect(note.utf8.count <= 1024 && note.utf8.count > 1016 && note.hasSuffix("…"))
        #expect(Self.notice(String(repeating: "x", count: 1024)).note.utf8.count == 1024)
    }
}
