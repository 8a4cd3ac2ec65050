// What an API object looks like: its fields with their JSON names, protobuf numbers and presence rules. One table serves
// reading and writing of both encodings, the order of JSON members, and strategic merge patches. It is written down here
// on its own, and not derived from what the agent decodes with, so that each checks the other.

package struct Message: Sendable {
    package var name: String
    /// In the order in which the API server writes them in JSON.
    package var fields: [Field]

    package init(_ name: String, _ fields: [Field]) {
        self.name = name
        self.fields = fields
    }

    package func field(_ name: String) -> Field? {
        fields.first { $0.name == name }
    }
}

package struct Field: Sendable {
    package enum Presence: Sendable {
        /// Protobuf always has it; JSON leaves it out when it is zero or empty, unless it is a message.
        case value
        /// Both always have it; in JSON, a list or a time that is not set is null.
        case always
        /// Both have it when it is set, whatever its value.
        case pointer
    }

    package enum Merge: Sendable, Equatable {
        case replace
        /// A list of messages merged by a member of theirs.
        case byKey(String)
        /// A list of strings to which a patch adds.
        case byValue
    }

    package var number: Int
    package var name: String
    package var type: FieldType
    package var presence: Presence
    package var merge: Merge

    package init(
        _ number: Int, _ name: String, _ type: FieldType, _ presence: Presence = .value, merge: Merge = .replace
    ) {
        self.number = number
        self.name = name
        self.type = type
        self.presence = presence
        self.merge = merge
    }
}

package indirect enum FieldType: Sendable {
    case string
    case bool
    /// Of this many bits.
    case integer(Int)
    /// Whole seconds.
    case time
    case microTime
    /// A number or a string, as targetPort is.
    case integerOrString
    /// An amount such as `8Gi`: a message around a string in protobuf.
    case quantity
    /// Any JSON value: a message around its text in protobuf.
    case raw
    case message(Message)
    case list(FieldType)
    /// With strings as keys.
    case map(FieldType)
}
