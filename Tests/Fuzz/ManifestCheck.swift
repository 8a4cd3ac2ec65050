// What must hold for every text whatsoever: reading it ends, nothing traps, and the results agree with each other. Run
// by the fuzzer (ManifestFuzz) and by the replay of what it once found.

import ConfigurationFiles
import ManifestSource
import NetworkTypes
import ServiceModel

package enum ManifestCheck {
    /// Nil when all is well, else what does not hold.
    package static func complaint(about bytes: [UInt8]) -> String? {
        let limits = TextLimits(bytes: 1 << 20, depth: 64, values: 100_000)
        for name in ["fuzz.yaml", "fuzz.json"] {
            let content = ManifestText.parse(bytes, name: name, limits: limits)
            if content != ManifestText.parse(bytes, name: name, limits: limits) {
                return "\(name): two readings differ"
            }
            if let complaint = complaint(about: content) { return "\(name): \(complaint)" }
        }
        if let documents = try? YAMLText.parse(bytes, limits: limits) {
            if let complaint = complaint(aboutReading: bytes, otherThan: documents.map(\.value), limits) {
                return complaint
            }
            for document in documents {
                do {
                    _ = try AgentConfiguration.decode(document.value)
                } catch {
                    if error.problems.isEmpty { return "a configuration is refused without a reason" }
                }
            }
        }
        return nil
    }

    /// The two readings of text that has a slip must agree with the plain one of text that has none. An alias to another
    /// document, which Yams follows and YAML forbids, is left out, and so is a byte order mark.
    private static func complaint(
        aboutReading bytes: [UInt8], otherThan documents: [FieldValue], _ limits: TextLimits
    ) -> String? {
        guard !bytes.contains(UInt8(ascii: "*")), !bytes.starts(with: [0xef, 0xbb, 0xbf]) else { return nil }
        if let parts = YAMLParts.split(bytes) {
            var budget = limits.values
            var apart: [FieldValue] = []
            for part in parts {
                do {
                    try YAMLText.read(part, depth: limits.depth, budget: &budget) { apart.append($0.value) }
                } catch {
                    return "a part of good YAML is none: \(error)"
                }
            }
            if apart != documents { return "YAML taken apart says something else" }
        }
        guard documents.count == 1, let tolerant = YAMLDuplicates(bytes, limits: limits) else { return nil }
        return tolerant.value == documents[0] && tolerant.paths.isEmpty ? nil : "duplicates where there are none"
    }

    private static func complaint(about content: ManifestContent) -> String? {
        if case .objects(let objects) = content {
            for object in objects {
                if object.problemLines.count != object.decoded.allProblems.count { return "a problem without a line" }
                if object.line < 1 || object.problemLines.contains(where: { $0 < 1 }) { return "a line below 1" }
                if case .fact(let fact) = object.decoded.outcome, let complaint = complaint(about: fact) {
                    return complaint
                }
            }
        }
        var state = ManifestState()
        state.update(file: "a.yaml", content)
        let changes = state.takeChanges()
        if changes.count != state.facts.count { return "as many changes as facts should be told at first" }
        state.update(file: "a.yaml", content)
        if !state.takeChanges().isEmpty { return "something is told twice (EP-19)" }
        state.update(file: "a.yaml", .unreadable(TextProblem("gone bad")))
        if !state.takeChanges().isEmpty { return "a file that went bad changes something" }
        state.remove(file: "a.yaml")
        if state.takeChanges().count != changes.count || !state.facts.isEmpty { return "something is left behind" }
        return state.problems.isEmpty ? nil : "problems of a removed file are left behind"
    }

    /// What the datapath relies on.
    private static func complaint(about fact: Fact) -> String? {
        switch fact {
        case .service(let service):
            let names = [service.name.namespace, service.name.name] + service.ports.map(\.name)
            if names.contains(where: { $0.utf8.count > 63 || $0.utf8.contains(0) }) { return "a name does not fit" }
            if service.ports.contains(where: { $0.port == 0 }) { return "a port is zero" }
            let isTimeoutSound = service.sessionAffinitySeconds.map { (1...86400).contains($0) } ?? true
            return isTimeoutSound ? nil : "an affinity timeout is out of range"
        case .endpointSlice(let slice):
            if slice.endpoints.contains(where: { $0.address.family != slice.family }) {
                return "an address of the other family"
            }
            if slice.ports.contains(where: { $0.port == 0 }) { return "a port is zero" }
            return (1...1000).contains(slice.weight) ? nil : "a weight is out of range"
        case .node, .serviceCIDR: return nil
        }
    }
}
