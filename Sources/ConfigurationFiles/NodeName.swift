// The node's name (NODE-1): the flag, else the file, else the hostname; trimmed and in lower case, so that it equals
// the slices' nodeName.

package import ServiceModel

package enum NodeName {
    /// `flag` and the configuration's override go before the operating system's name. Throws when the one that counts
    /// is blank.
    package static func resolve(
        flag: String?, configuration: AgentConfiguration?, hostname: String
    ) throws(FieldProblem) -> String {
        if let flag { return try normalise(flag, field: "--node") }
        if let name = configuration?.hostnameOverride { return name }
        return try normalise(hostname, field: "hostname")
    }

    static func normalise(_ name: String, field: String) throws(FieldProblem) -> String {
        let head = name.drop { $0.isWhitespace }
        let trimmed = head.dropLast(head.reversed().prefix { $0.isWhitespace }.count)
        guard !trimmed.isEmpty else { throw FieldProblem(field, "is blank") }
        return trimmed.lowercased()
    }
}
