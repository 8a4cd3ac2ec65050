// Kinds, versions and Lists: what is read, what passes in silence, and what is reported.

import ServiceModel
import Testing

@Suite struct ObjectDecoderTests {
    @Test(
        "kinds that a proxy does not read pass in silence",
        arguments: [
            #"{"apiVersion":"apps/v1","kind":"Deployment"}"#, #"{"apiVersion":"v1","kind":"Endpoints","metadata":{}}"#,
            #"{"apiVersion":"v1","kind":"Namespace"}"#, #"{"apiVersion":"v1","kind":"PodList","items":[]}"#,
            #"{"apiVersion":"cert-manager.io/v1","kind":"Certificate"}"#,
            #"{"apiVersion":"serving.knative.dev/v1","kind":"Service"}"#, "null",
        ])
    func silent(_ json: String) throws {
        #expect(try decode(json) == [])
    }

    struct Unknown: Sendable {
        var json: String
        var complaint: String
    }

    @Test(
        "unknown and misspelt kinds are reported",
        arguments: [
            Unknown(json: #"{"apiVersion":"v1","kind":"Servce"}"#, complaint: #"kind: "Servce" of "v1" is not known"#),
            Unknown(
                json: #"{"apiVersion":"discovery.k8s.io/v1beta1","kind":"EndpointSlice"}"#,
                complaint:
                    #"apiVersion: "discovery.k8s.io/v1beta1" of EndpointSlice is not read, only discovery.k8s.io/v1"#),
            Unknown(
                json: #"{"apiVersion":"discovery.example/v1","kind":"EndpointSlice"}"#,
                complaint: #"apiVersion: "discovery.example/v1" of EndpointSlice is not read, only discovery.k8s.io/v1"#
            ),
            Unknown(json: #"{"apiVersion":"v1"}"#, complaint: "kind: is missing"),
            Unknown(json: #"{"kind":"Service"}"#, complaint: "apiVersion: is missing"),
            Unknown(json: "[]", complaint: ": a list is not an object"),
            Unknown(json: #"{"apiVersion":"v1","kind":"Service"}"#, complaint: "metadata.name: is missing"),
            Unknown(
                json: #"{"apiVersion":"v1","kind":"Service","metadata":{}}"#, complaint: "metadata.name: is missing"),
            Unknown(
                json: #"{"apiVersion":"v1","kind":"Service","metadata":{"name":1}}"#,
                complaint: "metadata.name: 1 is not a string: put it in quotes"),
            Unknown(
                json: #"{"apiVersion":"v1","kind":"Service","metadata":{"name":"a"}}"#, complaint: "spec: is missing"),
        ])
    func unknown(_ row: Unknown) throws {
        let decoded = try decodeOne(row.json)
        #expect(decoded.isUnusable)
        #expect(decoded.complaints == [row.complaint])
    }

    @Test("a wrong object says who it is as far as it can")
    func culprits() throws {
        func culprit(_ json: String) throws -> DecodedObject.Culprit? {
            guard case .unusable(let culprit, _) = try decodeOne(json).outcome else { return nil }
            return culprit
        }
        let name = ObjectName(namespace: "default", name: "a")
        #expect(
            try culprit(#"{"apiVersion":"v2","kind":"Service","metadata":{"name":"a"}}"#)
                == .object(ObjectIdentity(kind: .service, name: name)))
        #expect(try culprit(#"{"apiVersion":"v1","kind":"Servce","metadata":{"name":"a"}}"#) == .named(name))
        #expect(try culprit(#"{"apiVersion":"v1","kind":"Service","metadata":{"name":""}}"#) == .nameless)
        #expect(try culprit("3") == .nameless)
    }

    private let item = #""metadata":{"name":"a"},"spec":{"clusterIP":"10.0.0.1","ports":[{"port":80}]}"#

    @Test("a List holds objects of any kind, each with its own kind")
    func list() throws {
        let objects = try decode(
            #"""
            {"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Service",\#(item)},
             {"apiVersion":"v1","kind":"ConfigMap"},{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}},{\#(item)},7]}
            """#)
        #expect(objects.map(\.identity?.description) == ["Service default/a", "Node n1", nil, nil])
        #expect(objects.map(\.item) == [0, 2, 3, 4])
        #expect(objects[2].complaints == ["kind: is missing"])
        #expect(objects[3].complaints == [": 7 is not an object"])
        #expect(objects[3].allProblems.map(\.object) == ["document 1, items[4]"])
    }

    @Test("items of a ServiceList need not say their kind, as in answers of the API")
    func typedList() throws {
        let objects = try decode(#"{"apiVersion":"v1","kind":"ServiceList","items":[{\#(item)}]}"#)
        #expect(objects.map(\.identity?.description) == ["Service default/a"])
        #expect(objects.first?.isUnusable == false)
        let slices = try decode(#"{"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSliceList","items":null}"#)
        #expect(slices == [])
    }

    @Test("a List within a List is refused")
    func nestedList() throws {
        let objects = try decode(
            #"{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"List","items":[]}]}"#)
        #expect(objects.map(\.complaints) == [["kind: a List within a List is not read"]])
    }

    @Test("the namespace of a Service is default unless given; a Node has none")
    func namespaces() throws {
        let node = try decodeOne(#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1","namespace":"x"}}"#)
        #expect(node.identity == ObjectIdentity(kind: .node, name: ObjectName(namespace: "", name: "n1")))
        let service = try decodeOne(
            #"{"apiVersion":"v1","kind":"Service","metadata":{"name":"a","namespace":""},"spec":{"clusterIP":"None"}}"#)
        #expect(service.identity?.name.namespace == "default")
    }
}
