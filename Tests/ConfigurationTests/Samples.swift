// Configurations for the tests, written as JSON, which is YAML as well.

import ConfigurationFiles
import ServiceModel
import Testing

func configuration(_ json: String) throws -> AgentConfiguration {
    let documents = try JSONText.parse(Array(json.utf8))
    try #require(documents.count == 1)
    return try AgentConfiguration.decode(documents[0].value)
}

/// With these members besides kind and version.
func kubeProxy(_ members: String = "") throws -> AgentConfiguration {
    let comma = members.isEmpty ? "" : ","
    return try configuration(
        #"{"apiVersion":"kubeproxy.config.k8s.io/v1alpha1","kind":"KubeProxyConfiguration"\#(comma)\#(members)}"#)
}

func martlet(_ members: String = "") throws -> AgentConfiguration {
    let comma = members.isEmpty ? "" : ","
    return try configuration(
        #"{"apiVersion":"martlet.dev/v1alpha1","kind":"MartletConfiguration"\#(comma)\#(members)}"#)
}

/// What is wrong, as `field: message`; empty when nothing is.
func complaints(_ decode: () throws -> AgentConfiguration) -> [String] {
    do {
        _ = try decode()
        return []
    } catch let error as ConfigurationError {
        return error.problems.map(\.description)
    } catch {
        return ["\(error)"]
    }
}

/// A wrong setting and what is said about it.
struct Wrong: Sendable {
    var members: String
    var complaints: [String]
}
