// The two forms of an Event. The store keeps that of events.k8s.io; the core group's has other names for the same.

package enum EventForms {
    private static let names = [
        ("regarding", "involvedObject"), ("note", "message"), ("deprecatedSource", "source"),
        ("deprecatedFirstTimestamp", "firstTimestamp"), ("deprecatedLastTimestamp", "lastTimestamp"),
        ("deprecatedCount", "count"), ("reportingController", "reportingComponent"),
    ]

    package static func core(from event: JSON) -> JSON {
        renamed(event, names, as: Messages.coreEvent)
    }

    package static func event(from core: JSON) -> JSON {
        renamed(core, names.map { ($0.1, $0.0) }, as: Messages.event)
    }

    private static func renamed(_ json: JSON, _ names: [(String, String)], as message: Message) -> JSON {
        let members = (json.object?.members ?? []).map { member in
            JSONObject.Member(name: names.first { $0.0 == member.name }?.1 ?? member.name, value: member.value)
        }
        let object = JSON.object(JSONObject(members))
        return (try? Shape.shape(object, as: message)) ?? object
    }
}
