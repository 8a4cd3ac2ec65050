// Everything that a cluster's agent is told, as one file that is replaced whole. A marker service changes with each
// version of it: when the maps show the marker, the agent has taken that version in.

import Foundation
import HostCalls
import World

/// The manifests of one agent.
struct Manifests {
    /// The folder to point an agent at.
    let folder: String
    private var services: [String: [String]] = [:]
    private var others: [String: String] = [:]
    /// The version written last.
    private(set) var version: UInt16 = 0

    init(folder: String) {
        self.folder = folder
    }

    /// The address that only the marker has; its port is the version. Maps are written, and removals made, in the order
    /// of addresses: this one is the last.
    static let markerAddress = "fdff:ffff::ffff"

    mutating func set(_ service: ServiceObject, _ slices: [SliceObject]) {
        services[service.name] =
            [service.manifest]
            + slices.enumerated().flatMap {
                $0.element.manifests(of: service, number: $0.offset + 1)
            }
    }

    mutating func remove(_ service: ServiceObject) {
        services[service.name] = nil
    }

    mutating func removeServices() { services = [:] }

    /// A Node with InternalIPs (none: what node ports are served on falls to NP-3) and pod ranges.
    mutating func setNode(_ name: String, zone: String?, addresses: [String], podCIDRs: [String]) {
        others["node \(name)"] = """
            apiVersion: v1
            kind: Node
            metadata: {name: \(name), labels: {\(zone.map { "topology.kubernetes.io/zone: \($0)" } ?? "")}}
            spec: {podCIDRs: \(podCIDRs.quotedList)}
            status: {addresses: [\(addresses.map { "{type: InternalIP, address: \"\($0)\"}" }.joined(separator: ", "))]}
            """
    }

    /// Tells which addresses are services' (SVC-12).
    mutating func setServiceCIDRs(_ ranges: [String]) {
        others["service ranges"] = """
            apiVersion: networking.k8s.io/v1
            kind: ServiceCIDR
            metadata: {name: kubernetes}
            spec: {cidrs: \(ranges.quotedList)}
            """
    }

    /// Writes the next version, as editors and ConfigMaps do: by rename.
    mutating func write() throws {
        version += 1
        let marker = ServiceObject(
            name: "marker", clusterIPs: [Self.markerAddress],
            ports: [.init(name: "version", transport: .tcp, number: version)])
        let documents = others.values.sorted() + services.sorted { $0.key < $1.key }.flatMap(\.value)
        let text = (documents + [marker.manifest]).joined(separator: "\n---\n") + "\n"
        try text.write(toFile: "\(folder)/cluster.yaml", atomically: true, encoding: .utf8)
    }
}
