// What becomes of objects: nothing that went is missed, nothing that is wrong does harm, and nothing that comes twice or
// late makes a difference.

import KubernetesDecoding
import KubernetesSource
import ServiceModel
import Testing

@Suite("The table of objects")
struct ObjectTableTests {
    private var table = ObjectTable(selection: Selection(kind: .service, nodeName: "node1"))

    private func name(_ text: String) -> ObjectName { ObjectName(namespace: "demo", name: text) }

    /// A list of these objects, as it is, and what it finds gone.
    private mutating func list(_ objects: KubernetesObject...) -> [FactChange] {
        table.beginReplacement()
        for object in objects { _ = table.put(object) }
        return table.finishReplacement()
    }

    @Test("API-5: what a new list does not have any more is deleted")
    mutating func relist() {
        #expect(list(object("a", at: "1"), object("b", at: "2"), object("c", at: "3")) == [])
        #expect(list(object("b", at: "2")) == [.service(name("a"), nil), .service(name("c"), nil)])
        #expect(table.count == 1)
    }

    @Test("API-5: a list that is cut short deletes nothing; the next whole one does")
    mutating func interruptedList() {
        _ = list(object("a", at: "1"), object("b", at: "2"))
        table.beginReplacement()
        _ = table.put(object("a", at: "1"))
        #expect(list(object("b", at: "2")) == [.service(name("a"), nil)])
    }

    @Test("a list is believed whatever its versions: the server may have been restored")
    mutating func restoredServer() {
        _ = list(object("a", at: "900"))
        table.beginReplacement()
        #expect(table.put(object("a", at: "3", port: 81)) != nil)
        #expect(table.finishReplacement() == [])
    }

    @Test("events that come twice or late change nothing")
    mutating func lateEvents() {
        _ = list()
        #expect(table.put(object("a", at: "10")) != nil)
        #expect(table.put(object("a", at: "12", port: 81)) != nil)
        #expect(table.put(object("a", at: "11", port: 82)) == nil)
        #expect(table.remove(object("a", at: "11")) == nil, "the object was made again before this came")
        #expect(table.remove(object("a", at: "13")) == .service(name("a"), nil))
        #expect(table.remove(object("a", at: "13")) == nil)
        #expect(table.put(object("a", at: "12")) == nil, "it is gone")
        #expect(table.put(object("a", at: "14")) != nil)
    }

    @Test("INV-8: an object that became wrong keeps its last good version, and is named")
    mutating func brokenObject() {
        _ = list(object("a", at: "1"), object("b", at: "2"))
        #expect(table.put(broken("a", at: "3")) == nil)
        #expect(table.problems.map(\.consequence) == [.lastGoodKept])
        #expect(table.problems[0].description.hasPrefix("Service demo/a: spec.ports[0].port: 70000"))
        #expect(table.put(broken("new", at: "4")) == nil)
        #expect(table.problems.map(\.consequence) == [.lastGoodKept, .notUsed])
        #expect(list(broken("a", at: "3"), object("b", at: "2")) == [])
        #expect(table.put(object("a", at: "5")) != nil)
        #expect(table.problems.isEmpty)
    }

    @Test("an object that was wrong and is gone is deleted with its last good version")
    mutating func brokenObjectGoes() {
        _ = list(object("a", at: "1"))
        _ = table.put(broken("a", at: "2"))
        #expect(table.remove(broken("a", at: "3")) == .service(name("a"), nil))
        #expect(table.problems.isEmpty)
    }

    @Test("while something in a list does not say who it is, nothing that is missing is deleted")
    mutating func namelessObject() {
        _ = list(object("a", at: "1"), object("b", at: "2"))
        #expect(list(object("b", at: "2"), nameless()) == [])
        #expect(table.problems.map(\.consequence) == [.lastGoodKept, .notUsed])
        #expect(list(object("b", at: "2")) == [.service(name("a"), nil)])
        #expect(table.problems.isEmpty)
    }

    @Test("API-2: what a server without selectors sends is filtered here")
    mutating func clientSideFilter() {
        var foreign = Service(name: name("a"))
        foreign.belongsToOtherProxy = true
        let hidden = KubernetesObject(
            decoded: DecodedObject(outcome: .fact(.service(foreign))), resourceVersion: "3")
        #expect(list(object("a", at: "1"), object("b", at: "1")) == [])
        #expect(table.put(hidden) == .service(name("a"), nil), "SVC-9: the label takes the service out of use")
        #expect(table.put(hidden) == nil)
        #expect(table.put(object("a", at: "4")) != nil, "and back in")
    }

    @Test("what is kept of past deletions and of nameless objects is bounded")
    mutating func bounds() {
        _ = list()
        for number in 0..<5000 {
            _ = table.put(object("s\(number)", at: "\(number)"))
            _ = table.remove(object("s\(number)", at: "\(number)"))
            _ = table.put(nameless())
        }
        #expect(table.count == 0)
        #expect(table.problems.count <= 16)
        #expect(table.problemCount == 5000)
    }
}
