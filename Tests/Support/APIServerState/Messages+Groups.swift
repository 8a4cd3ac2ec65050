// Tables of EndpointSlice, ServiceCIDR and the two forms of Event.

extension Messages {
    private static let conditions = Message(
        "EndpointConditions",
        [
            Field(1, "ready", .bool, .pointer), Field(2, "serving", .bool, .pointer),
            Field(3, "terminating", .bool, .pointer),
        ])

    private static func named(_ name: String) -> Message {
        Message(name, [Field(1, "name", .string, .always)])
    }

    private static let hints = Message(
        "EndpointHints",
        [
            Field(1, "forZones", .list(.message(named("ForZone")))),
            Field(2, "forNodes", .list(.message(named("ForNode")))),
        ])

    private static let endpoint = Message(
        "Endpoint",
        [
            Field(1, "addresses", .list(.string), .always), Field(2, "conditions", .message(conditions)),
            Field(3, "hostname", .string, .pointer), Field(4, "targetRef", .message(objectReference), .pointer),
            Field(5, "deprecatedTopology", .map(.string)), Field(6, "nodeName", .string, .pointer),
            Field(7, "zone", .string, .pointer), Field(8, "hints", .message(hints), .pointer),
        ])

    private static let endpointPort = Message(
        "EndpointPort",
        [
            Field(1, "name", .string, .pointer), Field(2, "protocol", .string, .pointer),
            Field(3, "port", .integer(32), .pointer), Field(4, "appProtocol", .string, .pointer),
        ])

    package static let endpointSlice = Message(
        "EndpointSlice",
        [
            Field(1, "metadata", .message(objectMeta)), Field(4, "addressType", .string, .always),
            Field(2, "endpoints", .list(.message(endpoint)), .always),
            Field(3, "ports", .list(.message(endpointPort)), .always),
        ])

    package static let serviceCIDR = Message(
        "ServiceCIDR",
        [
            Field(1, "metadata", .message(objectMeta)),
            Field(2, "spec", .message(Message("ServiceCIDRSpec", [Field(1, "cidrs", .list(.string))]))),
            Field(
                3, "status",
                .message(
                    Message(
                        "ServiceCIDRStatus",
                        [Field(1, "conditions", .list(.message(condition)), merge: .byKey("type"))]))),
        ])

    private static let eventSeries = Message(
        "EventSeries", [Field(1, "count", .integer(32), .always), Field(2, "lastObservedTime", .microTime, .always)])

    private static let eventSource = Message(
        "EventSource", [Field(1, "component", .string), Field(2, "host", .string)])

    /// events.k8s.io/v1.
    package static let event = Message(
        "Event",
        [
            Field(1, "metadata", .message(objectMeta)), Field(2, "eventTime", .microTime, .always),
            Field(3, "series", .message(eventSeries), .pointer), Field(4, "reportingController", .string),
            Field(5, "reportingInstance", .string), Field(6, "action", .string), Field(7, "reason", .string),
            Field(8, "regarding", .message(objectReference)), Field(9, "related", .message(objectReference), .pointer),
            Field(10, "note", .string), Field(11, "type", .string),
            Field(12, "deprecatedSource", .message(eventSource)), Field(13, "deprecatedFirstTimestamp", .time, .always),
            Field(14, "deprecatedLastTimestamp", .time, .always), Field(15, "deprecatedCount", .integer(32)),
        ])

    /// The core group's: the same object under other names.
    package static let coreEvent = Message(
        "Event",
        [
            Field(1, "metadata", .message(objectMeta)), Field(2, "involvedObject", .message(objectReference)),
            Field(3, "reason", .string), Field(4, "message", .string), Field(5, "source", .message(eventSource)),
            Field(6, "firstTimestamp", .time, .always), Field(7, "lastTimestamp", .time, .always),
            Field(8, "count", .integer(32)), Field(9, "type", .string), Field(10, "eventTime", .microTime, .always),
            Field(11, "series", .message(eventSeries), .pointer), Field(12, "action", .string),
            Field(13, "related", .message(objectReference), .pointer),
            Field(14, "reportingComponent", .string, .always),
            Field(15, "reportingInstance", .string, .always),
        ])
}
