// Which version of an object is in force, and what is told about it. No files, no time.

import NetworkTypes
import ServiceModel
import Testing

@testable import ManifestSource

@Suite struct ManifestStateTests {
    private let broken = yaml("web").replacing("port: 80", with: "port: 70000")

    private func expectChanges(
        _ expected: [String], of state: inout ManifestState, at location: SourceLocation = #_sourceLocation
    ) {
        let changes = names(state.takeChanges())
        #expect(changes == expected, sourceLocation: location)
    }

    private func names(_ changes: [FactChange]) -> [String] {
        changes.map { change in
            switch change {
            case .service(let name, let service):
                "\(name.name):\(service.map { "\($0.ports.first?.port ?? 0)" } ?? "gone")"
            case .endpointSlice(let name, let slice): "\(name.name):\(slice == nil ? "gone" : "here")"
            case .node(let name, let node): "\(name):\(node == nil ? "gone" : "here")"
            case .serviceCIDR(let name, let range): "\(name):\(range == nil ? "gone" : "here")"
            }
        }
    }

    @Test("objects come, change and go with their file")
    func lifecycle() {
        var state = ManifestState()
        state.update(file: "a.yaml", content(yaml("a") + yaml("b")))
        expectChanges(["a:80", "b:80"], of: &state)
        state.update(file: "a.yaml", content(yaml("a", port: 81) + yaml("b")))
        expectChanges(["a:81"], of: &state)
        state.update(file: "a.yaml", content(yaml("a", port: 81)))
        expectChanges(["b:gone"], of: &state)
        state.remove(file: "a.yaml")
        expectChanges(["a:gone"], of: &state)
        #expect(state.problems == [])
        #expect(state.facts == [])
    }

    @Test("EP-19: nothing is told twice, not even after a detour")
    func nothingTwice() {
        var state = ManifestState()
        state.update(file: "a.yaml", content(yaml("a")))
        _ = state.takeChanges()
        state.update(file: "a.yaml", content("# other text, same object\n" + yaml("a")))
        expectChanges([], of: &state)
        state.update(file: "a.yaml", content(yaml("a", port: 81)))
        state.update(file: "a.yaml", content(yaml("a")))
        expectChanges([], of: &state)
        state.update(file: "b.yaml", content(yaml("b")))
        state.remove(file: "b.yaml")
        expectChanges([], of: &state)
    }

    @Test("an object that became wrong keeps its last good version, the others of its file go on")
    func lastGoodObject() {
        var state = ManifestState()
        state.update(file: "a.yaml", content(yaml("web") + yaml("b")))
        _ = state.takeChanges()
        state.update(file: "a.yaml", content(broken + yaml("b", port: 81) + yaml("c")))
        expectChanges(["b:81", "c:80"], of: &state)
        #expect(summary(state.facts) == ["b:81", "c:80", "web:80"])
        #expect(
            state.problems.map(\.description) == [
                "a.yaml:9: document 1: Service default/web: spec.ports[0].port: 70000 is not a port (1…65535); "
                    + "its last good version stays in force"
            ])
        state.update(file: "a.yaml", content(yaml("web", port: 82)))
        expectChanges(["b:gone", "c:gone", "web:82"], of: &state)
        #expect(state.problems == [])
    }

    @Test("an object that was never right is not used")
    func neverGood() {
        var state = ManifestState()
        state.update(file: "a.yaml", content(broken))
        expectChanges([], of: &state)
        #expect(state.problems.map(\.consequence) == [.notUsed])
    }

    @Test("a file that is no YAML any more keeps all its objects")
    func lastGoodFile() {
        var state = ManifestState()
        state.update(file: "a.yaml", content(yaml("a") + yaml("b")))
        _ = state.takeChanges()
        state.update(file: "a.yaml", content("a: ["))
        expectChanges([], of: &state)
        #expect(summary(state.facts) == ["a:80", "b:80"])
        #expect(state.problems.map(\.consequence) == [.lastGoodKept])
        state.update(file: "a.yaml", content(yaml("a")))
        expectChanges(["b:gone"], of: &state)
    }

    @Test(
        "INV-8: a slip in one document of a file costs that document only",
        arguments: [
            yaml("b", port: 81) + "kind: Service\n", yaml("b", port: 81) + "x: *nowhere\n",
            yaml("b", port: 81) + "x: [\n", yaml("b", port: 81) + "x: \"\n", yaml("b", port: 81) + "\tx: 1\n",
        ])
    func slip(_ document: String) {
        var state = ManifestState()
        state.update(file: "a.yaml", content(yaml("a") + yaml("b") + yaml("c")))
        _ = state.takeChanges()
        state.update(file: "a.yaml", content(yaml("a", port: 81) + document + yaml("c", port: 81)))
        expectChanges(["a:81", "c:81"], of: &state)
        #expect(summary(state.facts) == ["a:81", "b:80", "c:81"])
        #expect(state.problems.map(\.consequence) == [.lastGoodKept, .notUsed])
        #expect(state.problems.first?.problem.object == "Service default/b")
        #expect(state.problems.last?.document == 2)
        #expect((10...20).contains(state.problems.last?.line ?? 0), "\(state.problems)")
        state.update(file: "a.yaml", content(yaml("a", port: 81) + yaml("b", port: 81)))
        expectChanges(["b:81", "c:gone"], of: &state)
        #expect(state.problems == [])
    }

    @Test("a file that became empty keeps its objects and is reported; one of comments only means what it says")
    func emptied() {
        var state = ManifestState()
        state.update(file: "a.yaml", content(yaml("a")))
        _ = state.takeChanges()
        for text in ["", " \n\r\n\t", "\u{feff}"] {
            state.update(file: "a.yaml", content(text))
            expectChanges([], of: &state)
            #expect(
                state.problems.map(\.description) == [
                    "a.yaml: is empty: it holds no object; its last good version stays in force"
                ])
        }
        state.update(file: "a.yaml", content("# on purpose\n"))
        expectChanges(["a:gone"], of: &state)
        #expect(state.problems == [])
    }

    @Test(
        "an object that does not say who it is may be any that is missing now, so these stay",
        arguments: [
            "metadata:\n  name: b\n".replacing("name", with: "nam"), "metadata: {}\n",
        ])
    func nameless(metadata: String) {
        var state = ManifestState()
        state.update(file: "a.yaml", content(yaml("a") + yaml("b")))
        _ = state.takeChanges()
        state.update(file: "a.yaml", content(yaml("a", port: 81) + "---\napiVersion: v1\nkind: Service\n" + metadata))
        expectChanges(["a:81"], of: &state)
        #expect(summary(state.facts) == ["a:81", "b:80"])
        #expect(state.problems.map(\.consequence) == [.lastGoodKept, .notUsed])
    }

    @Test("a misspelt kind keeps the object of that name only")
    func misspeltKind() {
        var state = ManifestState()
        state.update(file: "a.yaml", content(yaml("a") + yaml("b")))
        _ = state.takeChanges()
        state.update(file: "a.yaml", content(yaml("b").replacing("kind: Service", with: "kind: Servce")))
        expectChanges(["a:gone"], of: &state)
        #expect(summary(state.facts) == ["b:80"])
    }

    @Test("EP-2: a slice that loses its owner is gone, not kept")
    func ownerless() {
        let slice = """
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            addressType: IPv4
            metadata: {name: s, labels: {kubernetes.io/service-name: web}}
            """
        var state = ManifestState()
        state.update(file: "a.yaml", content(slice))
        expectChanges(["s:here"], of: &state)
        state.update(file: "a.yaml", content(slice.replacing("kubernetes.io/service-name: web", with: "")))
        expectChanges(["s:gone"], of: &state)
        #expect(state.problems.count == 1)
    }

    @Test("of an object defined twice, the first file's stays and the second is reported")
    func duplicates() {
        var state = ManifestState()
        state.update(file: "b.yaml", content(yaml("web", port: 81)))
        expectChanges(["web:81"], of: &state)
        state.update(file: "a.yaml", content(yaml("web", port: 80)))
        expectChanges(["web:80"], of: &state)
        #expect(
            state.problems.map(\.description) == [
                "b.yaml:2: document 1: Service default/web: is defined in a.yaml:2 already, and that is used"
            ])
        state.remove(file: "a.yaml")
        expectChanges(["web:81"], of: &state)
        #expect(state.problems == [])
    }

    @Test("of an object defined twice in one file, the first is used")
    func duplicatesInFile() {
        var state = ManifestState()
        state.update(file: "a.yaml", content(yaml("web") + yaml("web", port: 81)))
        expectChanges(["web:80"], of: &state)
        #expect(
            state.problems.map(\.description) == [
                "a.yaml:11: document 2: Service default/web: is defined in line 2 already, and that is used"
            ])
    }

    @Test(
        "an object that moves to another file never goes away, whichever file is seen first", arguments: [true, false])
    func move(sourceFirst: Bool) {
        var state = ManifestState()
        state.update(file: "a.yaml", content(yaml("web")))
        _ = state.takeChanges()
        if sourceFirst { state.update(file: "a.yaml", content("# moved")) }
        state.update(file: "b.yaml", content(yaml("web")))
        if !sourceFirst { state.update(file: "a.yaml", content("# moved")) }
        expectChanges([], of: &state)
        #expect(state.problems == [])
    }

    @Test("a good definition elsewhere goes before a kept one, so a renamed file is no duplicate")
    func suspended() {
        var state = ManifestState()
        state.update(file: "a.yaml", content(yaml("web")))
        _ = state.takeChanges()
        state.suspend(file: "a.yaml")
        expectChanges([], of: &state)
        state.update(file: "b.yaml", content(yaml("web", port: 81)))
        expectChanges(["web:81"], of: &state)
        #expect(state.problems == [])
        state.remove(file: "a.yaml")
        expectChanges([], of: &state)
    }

    @Test("a directory that cannot be read changes nothing and is reported")
    func missingDirectory() {
        var state = ManifestState()
        state.update(file: "a.yaml", content(yaml("web")))
        _ = state.takeChanges()
        state.setProblems(directory: "cannot be read", watching: nil, path: "/m")
        expectChanges([], of: &state)
        #expect(state.problems.map(\.description) == ["/m: cannot be read; its last good version stays in force"])
        state.setProblems(directory: nil, watching: nil, path: "/m")
        #expect(state.problems == [])
    }
}
