// Text with fields that are there twice, read as kube-proxy does: the last one counts.

import ServiceModel
import Testing

@testable import ManifestSource

@Suite struct YAMLDuplicatesTests {
    @Test("FLAG-1: of duplicate fields the last counts, at any depth and in any notation")
    func last() throws {
        let text = """
            mode: iptables
            "mode": ipvs
            iptables: {masqueradeAll: true, 'masqueradeAll': false}
            größe: {ä: 1, ä: 2}
            mode: nftables
            list:
            - a: 1
              a: 2
            """
        let tolerant = try #require(YAMLDuplicates(Array(text.utf8)))
        #expect(
            tolerant.value
                == .object([
                    "mode": .string("nftables"), "iptables": .object(["masqueradeAll": .bool(false)]),
                    "größe": .object(["ä": .integer(2)]), "list": .array([.object(["a": .integer(2)])]),
                ]))
        #expect(tolerant.paths == ["größe.ä", "iptables.masqueradeAll", "list[0].a", "mode"])
        let json = try #require(YAMLDuplicates(Array(#"{"mode":"a","b":1,"mode":"c"}"#.utf8)))
        #expect(json.value == .object(["mode": .string("c"), "b": .integer(1)]) && json.paths == ["mode"])
    }

    @Test("a section that is there twice goes with all that it holds")
    func section() throws {
        let text = "a:\n  b: 1\n  b: 2\na: {c: 3}\n"
        let tolerant = try #require(YAMLDuplicates(Array(text.utf8)))
        #expect(tolerant.value == .object(["a": .object(["c": .integer(3)])]) && tolerant.paths == ["a"])
    }

    @Test(
        "anything else that is wrong stays wrong",
        arguments: ["a: [", "a: 1\na: 2\n---\nb: 1", "&x a: 1\n&y a: 2", "[a]: 1\n[a]: 2", "? {a: 1}\n: 1\n"])
    func wrong(_ text: String) {
        #expect(YAMLDuplicates(Array(text.utf8)) == nil)
    }
}
