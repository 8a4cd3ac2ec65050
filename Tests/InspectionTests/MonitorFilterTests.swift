// Which events a filter lets through. No kernel.

import Datapath
import Inspection
import NetworkTypes
import ServiceModel
import Testing

@Suite("Filter of the monitor")
struct MonitorFilterTests {
    private static let web = ServicePortName(
        service: ObjectName(namespace: "default", name: "web"), portName: "http", protocol: .tcp)

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let filter: Monitor.Filter
        var outcome: Outcome? = .noEndpoints
        var service: ServicePortName? = MonitorFilterTests.web
        let admitted: Bool
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "an empty filter admits everything", filter: .init(), admitted: true),
        Case(name: "also what this build does not know", filter: .init(), outcome: nil, service: nil, admitted: true),
        Case(name: "the service port", filter: .init(services: ["default/web:http"]), admitted: true),
        Case(name: "the service with all its ports", filter: .init(services: ["default/web"]), admitted: true),
        Case(name: "another port", filter: .init(services: ["default/web:https"]), admitted: false),
        Case(name: "a service that begins alike", filter: .init(services: ["default/we"]), admitted: false),
        Case(name: "no service at all", filter: .init(services: ["default/web"]), service: nil, admitted: false),
        Case(name: "one of the outcomes", filter: .init(outcomes: [.forwarded, .noEndpoints]), admitted: true),
        Case(name: "another outcome", filter: .init(outcomes: [.forwarded]), admitted: false),
        Case(name: "an unknown outcome", filter: .init(outcomes: [.forwarded]), outcome: nil, admitted: false),
        Case(
            name: "both must match", filter: .init(services: ["default/web"], outcomes: [.forwarded]), admitted: false),
    ]

    @Test("an event is shown when service and outcome are among those asked for", arguments: cases)
    func admits(_ example: Case) {
        #expect(example.filter.admits(example.outcome, service: example.service) == example.admitted)
    }
}
