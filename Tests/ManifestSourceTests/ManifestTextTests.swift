// Whole files as objects: formats, places of problems, and size.

import NetworkTypes
import ServiceModel
import Testing

@testable import ManifestSource

@Suite struct ManifestTextTests {
    @Test("problems know document and line, in Lists as well")
    func places() throws {
        let text = """
            kind: ConfigMap
            apiVersion: v1
            ---
            apiVersion: v1
            kind: List
            items:
            - apiVersion: v1
              kind: Service
              metadata:
                name: web
              spec:
                clusterIP: 10.0.0.1
                externalIPs: [a, 192.0.2.1,
                  b]
                ports: [{port: 80}]
            """
        let object = try #require(try objects(text).first)
        #expect(object.document == 2)
        #expect(object.line == 7)
        #expect(object.problemLines == [13, 14])
    }

    @Test(
        "JSON by its name or its beginning; YAML that begins like JSON is still YAML",
        arguments: [
            ("a.json", #"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}"#),
            ("a.yaml", "\n {\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"n\"}}"),
            ("a.yaml", "{apiVersion: v1, kind: Node, metadata: {name: n}}"),
            ("a.yaml", "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\n\"metadata\":{\"name\":\"n\"}} # comment\n---\n"),
        ])
    func formats(_ name: String, _ text: String) throws {
        #expect(try objects(text, name: name).map(\.decoded.outcome) == [.fact(.node(Node(name: "n")))])
    }

    @Test("a port in quotes is an error that names the field (YAML 1.1 trap)")
    func quotedPort() throws {
        let text = yaml("web").replacing("port: 80", with: "port: \"80\"")
        let object = try #require(try objects(text).first)
        #expect(
            object.decoded.allProblems.map(\.description) == [
                #"Service default/web: spec.ports[0].port: "80" is not a whole number: write it without quotes"#
            ])
        #expect(object.problemLines == [9])
    }

    @Test("an unquoted number as a name is an error that says what to do")
    func numericName() throws {
        let object = try #require(try objects(yaml("123")).first)
        #expect(object.decoded.allProblems.map(\.message) == ["123 is not a string: put it in quotes"])
    }

    @Test(
        "files without objects are fine",
        arguments: [
            "# nothing\n", "---\n---\n", "kind: Pod\napiVersion: v1", "kind: List\napiVersion: v1\nitems: []",
        ])
    func noObjects(_ text: String) throws {
        #expect(try objects(text) == [])
    }

    @Test("a file without anything is a problem: a writer failed", arguments: ["a.yaml", "a.json"])
    func nothing(_ name: String) {
        for text in ["", "\n", " \t\r\n"] {
            #expect(content(text, name: name) == .unreadable(TextProblem("is empty: it holds no object")))
        }
    }

    @Test("a byte order mark is no part of the text", arguments: ["a.yaml", "a.json"])
    func byteOrderMark(_ name: String) throws {
        let text = "\u{feff}" + #"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}"#
        #expect(try objects(text, name: name).map(\.decoded.outcome) == [.fact(.node(Node(name: "n")))])
        #expect(try summary(objects("\u{feff}" + yaml("web")).compactMap(\.decoded.fact)) == ["web:80"])
    }

    @Test("one service with 100,000 endpoints in slices of 1,000", .timeLimit(.minutes(3)))
    func manyEndpoints() throws {
        func address(_ slice: Int, _ index: Int) -> String { "10.\(slice).\(index / 250).\(index % 250 + 1)" }
        let items = (0..<100).map { slice in
            let endpoints = (0..<1000).map { #"{"addresses":["\#(address(slice, $0))"],"conditions":{"ready":true}}"# }
            return #"""
                {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4",
                 "metadata":{"name":"web-\#(slice)","labels":{"kubernetes.io/service-name":"web"}},
                 "ports":[{"name":"","port":8080}],"endpoints":[\#(endpoints.joined(separator: ","))]}
                """#
        }
        let json = try objects(items.joined(separator: "\n"), name: "a.json")
        #expect(json.allSatisfy { $0.decoded.allProblems.isEmpty })
        let addresses = json.flatMap { object -> [IPAddress] in
            guard case .fact(.endpointSlice(let slice)) = object.decoded.outcome else { return [] }
            return slice.endpoints.map(\.address)
        }
        #expect(Set(addresses).count == 100_000)
        // The same text is YAML as well.
        let yaml = try objects("---\n" + items.prefix(5).joined(separator: "\n---\n"))
        #expect(yaml.map(\.decoded) == json.prefix(5).map(\.decoded))
    }
}

extension DecodedObject {
    fileprivate var fact: Fact? {
        if case .fact(let fact) = outcome { fact } else { nil }
    }
}
