// What an update of a source can matter to.

import ServiceModel
import Testing

@Suite("Updates of a source")
struct SourceUpdateTests {
    @Test("only changes of Services can leave frontends unclaimed")
    func services() {
        let name = ObjectName(namespace: "shop", name: "web")
        func update(_ changes: FactChange...) -> SourceUpdate {
            SourceUpdate(changes: changes, problems: [], isFirst: false)
        }
        #expect(!update().changesServices)
        #expect(!update(.endpointSlice(name, nil), .node("n", nil), .serviceCIDR("c", nil)).changesServices)
        #expect(update(.endpointSlice(name, nil), .service(name, nil)).changesServices)
    }
}
