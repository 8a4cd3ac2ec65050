// Answers that are wrong, cut off or meant to hurt: what is understood stays, what is not is named, and nothing costs more
// memory than one object may.

import Foundation
import KubernetesDecoding
import KubernetesMessages
import ServiceModel
import SwiftProtobuf
import Testing

@Suite("Answers that are wrong")
struct HostileAnswerTests {
    private static func frame(_ message: [UInt8]) -> [UInt8] {
        let count = UInt32(message.count)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + message
    }

    private static func envelope(_ kind: String, _ raw: [UInt8], version: String = "v1") throws -> [UInt8] {
        var unknown = WireUnknown()
        unknown.typeMeta.apiVersion = version
        unknown.typeMeta.kind = kind
        unknown.raw = .init(raw)
        return [0x6b, 0x38, 0x73, 0] + (try unknown.serializedBytes() as [UInt8])
    }

    private static func event(_ type: String, _ object: [UInt8]) throws -> [UInt8] {
        var event = WireWatchEvent()
        event.type = type
        event.object.raw = .init(object)
        return frame(try event.serializedBytes())
    }

    @Test("half a frame is no event, and the reader knows that it is half")
    func halfFrame() throws {
        for (encoding, bytes) in [
            (AnswerEncoding.json, Array(#"{"type":"ADDED","obj"#.utf8)),
            (.protobuf, Array(try Self.event("ADDED", [1, 2, 3]).dropLast())), (.protobuf, [0, 0]),
        ] {
            var reader = WatchReader(kind: .service, encoding: encoding)
            #expect(reader.read(bytes).isEmpty)
            #expect(!reader.isBetweenFrames)
        }
    }

    @Test("a frame larger than any object may be is passed over without being kept")
    func oversizedFrames() throws {
        var limits = AnswerLimits()
        limits.object = 1000
        let good =
            #"{"type":"BOOKMARK","object":{"kind":"Service","apiVersion":"v1","metadata":{"resourceVersion":"5"}}}"#
        var json = WatchReader(kind: .service, encoding: .json, limits: limits)
        let lines = Array((String(repeating: "x", count: 5000) + "\n" + good + "\n").utf8)
        #expect(json.read(lines).count == 2)
        #expect(json.read(lines)[0] == .unreadable("is larger than 1000 bytes"))
        var protobuf = WatchReader(kind: .service, encoding: .protobuf, limits: limits)
        var events: [WatchEvent] = []
        // Four gigabytes are announced, and a little of them sent: nothing is set aside for them.
        for _ in 0..<3 { events += protobuf.read([0xff, 0xff, 0xff, 0xff, 1, 2, 3]) }
        #expect(events.isEmpty)
        var next = WatchReader(kind: .service, encoding: .protobuf, limits: limits)
        let large = Self.frame([UInt8](repeating: 0, count: 5000))
        #expect(next.read(large + large) == [WatchEvent](repeating: .unreadable("is larger than 1000 bytes"), count: 2))
    }

    @Test("frames that are nothing are named, and what follows is read")
    func nonsense() throws {
        var json = WatchReader(kind: .service, encoding: .json)
        let events = json.read(Array("{}\nnull\nnonsense\n{\"type\":\"ODD\",\"object\":{}}\n\n".utf8))
        #expect(events.count == 4)
        var protobuf = WatchReader(kind: .service, encoding: .protobuf)
        let odd = try Self.event("ADDED", Self.envelope("Pod", []))
        let found = protobuf.read([0, 0, 0, 0] + Self.frame([0xff, 0xff]) + odd)
        #expect(found.count == 3)
        guard case .unexpected(let what) = try #require(found.last) else {
            Issue.record("\(found)")
            return
        }
        #expect(what == #"ADDED of "Pod" of "v1""#)
    }

    @Test("INV-8: an object that is damaged is named by its metadata, if that can be read")
    func damagedObject() throws {
        var metadata = WireObjectMeta()
        metadata.name = "web"
        metadata.namespace = "shop"
        metadata.resourceVersion = "7"
        let meta: [UInt8] = try metadata.serializedBytes()
        // Field 1 is metadata; field 2, the spec, holds text that is not UTF-8 as its clusterIP.
        let damaged: [UInt8] = [0x0a, UInt8(meta.count)] + meta + [0x12, 4, 0x1a, 2, 0xff, 0xfe]
        var reader = WatchReader(kind: .service, encoding: .protobuf)
        let event = try #require(reader.read(try Self.event("MODIFIED", Self.envelope("Service", damaged))).first)
        guard case .put(let object) = event, case .unusable(.object(let identity), let problem) = object.decoded.outcome
        else {
            Issue.record("\(event)")
            return
        }
        #expect("\(identity)" == "Service shop/web")
        #expect(problem.message.contains("is not a Service in protobuf"))
        #expect(object.resourceVersion == "7")
    }

    @Test("INV-8: one item of a list that is wrong costs that item alone", arguments: [1, 3, 1 << 20])
    func wrongItem(_ size: Int) throws {
        let text = #"""
            {"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[
            {"metadata":{"name":"a"},"spec":{"clusterIP":"10.96.0.1","ports":[{"port":80}]}}, 5, {"metadata":{}},
            {"metadata":{"name":"b\"]}","namespace":"x"},"spec":{}},
            {"metadata":{"name":"c"},"spec":{"clusterIP":"10.96.0.2","ports":[{"port":70000}]}}],"more":[{"items":[1]}]}
            """#
        var reader = ListReader(kind: .service, encoding: .json)
        var objects: [KubernetesObject] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            objects += try reader.read(Array(bytes[start..<min(start + size, bytes.count)]))
        }
        #expect(try reader.finish() == ListHead(resourceVersion: "9", continueToken: nil))
        #expect(objects.count == 5)
        #expect(objects.count { if case .fact = $0.decoded.outcome { true } else { false } } == 1)
        #expect(objects.last?.decoded.identity?.name.name == "c")
    }

    @Test("a list that is cut short is no list", arguments: [AnswerEncoding.json, .protobuf])
    func cutList(_ encoding: AnswerEncoding) throws {
        let recording = Recording(name: encoding == .json ? "lists/services.json" : "lists/services.pb")
        let body = try recording.body
        for length in [0, 3, 100, body.count / 2, body.count - 5] {
            var reader = ListReader(kind: .service, encoding: encoding)
            _ = try reader.read(Array(body[..<length]))
            #expect(throws: UnreadableAnswer.self) { try reader.finish() }
        }
    }

    @Test(
        "what is no list at all is refused, whatever its lengths say",
        arguments: [
            [UInt8]("<html>".utf8), [UInt8]("[]".utf8),
            [0x6b, 0x38, 0x73, 0, 0x12, 0x05, 0x12, 0xff, 0xff, 0xff, 0x7f],
            [0x6b, 0x38, 0x73, 0] + [UInt8](repeating: 0xff, count: 20),
            [0x6b, 0x38, 0x73, 0, 0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            [0x6b, 0x38, 0x73, 0, 0x0b],
        ] as [[UInt8]])
    func noList(_ bytes: [UInt8]) {
        for encoding in [AnswerEncoding.json, .protobuf] {
            #expect(throws: UnreadableAnswer.self) {
                var reader = ListReader(kind: .service, encoding: encoding)
                _ = try reader.read(bytes)
                _ = try reader.finish()
            }
        }
    }

    @Test("a Status of any length is cut to what people read, in both encodings")
    func longStatus() throws {
        let long = String(repeating: "ä", count: 100_000)
        var message = WireStatus()
        message.message = long
        message.reason = long
        let json = Array(#"{"kind":"Status","apiVersion":"v1","message":"\#(long)","reason":"\#(long)"}"#.utf8)
        for (body, type) in [
            (json, "application/json"),
            (try Self.envelope("Status", try message.serializedBytes()), "application/vnd.kubernetes.protobuf"),
        ] {
            let status = APIStatus(body: body, contentType: type, code: 500)
            #expect(status.message.count == 1001 && status.message.hasSuffix("ä…"))
            #expect(status.reason.count == 101)
            #expect(status.description.count < 1200)
        }
        let text = APIStatus(body: Array(long.utf8), contentType: "text/plain", code: 429)
        #expect(text.message.count <= 200)
    }

    @Test("random damage to recorded answers is survived")
    func damage() throws {
        var state: UInt64 = 7
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        for name in ["lists/services.pb", "lists/nodes-one.json"] {
            let recording = Recording(name: name)
            let body = try recording.body
            for _ in 0..<60 {
                var damaged = body
                for _ in 0..<3 { damaged[random(damaged.count)] = UInt8(random(256)) }
                var reader = ListReader(kind: .service, encoding: recording.encoding)
                _ = try? reader.read(damaged)
                var watch = WatchReader(kind: .service, encoding: recording.encoding)
                _ = watch.read(damaged)
            }
        }
    }
}
