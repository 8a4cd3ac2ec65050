// Tables of the types that all API objects share: metadata, lists, Status and watch events, and the envelope in which
// protobuf answers are.

package enum Messages {
    package static let ownerReference = Message(
        "OwnerReference",
        [
            Field(5, "apiVersion", .string, .always), Field(1, "kind", .string, .always),
            Field(3, "name", .string, .always), Field(4, "uid", .string, .always),
            Field(6, "controller", .bool, .pointer), Field(7, "blockOwnerDeletion", .bool, .pointer),
        ])

    package static let managedFields = Message(
        "ManagedFieldsEntry",
        [
            Field(1, "manager", .string), Field(2, "operation", .string), Field(3, "apiVersion", .string),
            Field(4, "time", .time, .pointer), Field(6, "fieldsType", .string), Field(7, "fieldsV1", .raw, .pointer),
            Field(8, "subresource", .string),
        ])

    package static let objectMeta = Message(
        "ObjectMeta",
        [
            Field(1, "name", .string), Field(2, "generateName", .string), Field(3, "namespace", .string),
            Field(4, "selfLink", .string), Field(5, "uid", .string), Field(6, "resourceVersion", .string),
            Field(7, "generation", .integer(64)), Field(8, "creationTimestamp", .time),
            Field(9, "deletionTimestamp", .time, .pointer),
            Field(10, "deletionGracePeriodSeconds", .integer(64), .pointer), Field(11, "labels", .map(.string)),
            Field(12, "annotations", .map(.string)),
            Field(13, "ownerReferences", .list(.message(ownerReference)), merge: .byKey("uid")),
            Field(14, "finalizers", .list(.string), merge: .byValue),
            Field(17, "managedFields", .list(.message(managedFields))),
        ])

    package static let listMeta = Message(
        "ListMeta",
        [
            Field(1, "selfLink", .string), Field(2, "resourceVersion", .string), Field(3, "continue", .string),
            Field(4, "remainingItemCount", .integer(64), .pointer),
        ])

    private static let statusCause = Message(
        "StatusCause",
        [Field(1, "reason", .string), Field(2, "message", .string), Field(3, "field", .string)])

    private static let statusDetails = Message(
        "StatusDetails",
        [
            Field(1, "name", .string), Field(2, "group", .string), Field(3, "kind", .string), Field(6, "uid", .string),
            Field(4, "causes", .list(.message(statusCause))), Field(5, "retryAfterSeconds", .integer(32)),
        ])

    package static let status = Message(
        "Status",
        [
            Field(1, "metadata", .message(listMeta)), Field(2, "status", .string), Field(3, "message", .string),
            Field(4, "reason", .string), Field(5, "details", .message(statusDetails), .pointer),
            Field(6, "code", .integer(32)),
        ])

    package static let condition = Message(
        "Condition",
        [
            Field(1, "type", .string, .always), Field(2, "status", .string, .always),
            Field(3, "observedGeneration", .integer(64)), Field(4, "lastTransitionTime", .time, .always),
            Field(5, "reason", .string, .always), Field(6, "message", .string, .always),
        ])

    package static let objectReference = Message(
        "ObjectReference",
        [
            Field(1, "kind", .string), Field(2, "namespace", .string), Field(3, "name", .string),
            Field(4, "uid", .string), Field(5, "apiVersion", .string), Field(6, "resourceVersion", .string),
            Field(7, "fieldPath", .string),
        ])
}
