// When flows of UDP are cleaned up, and its metrics. After a sync that has taken in a change of EndpointSlices with UDP
// ports, and after nothing else (CT-2): not for services that change, nor at the end of the agent (CT-7).

import LoadBalancing
import NetworkTypes
import ServiceModel
import Telemetry

extension NodeAgent {
    /// Whether slices with UDP ports are other ones now. To be asked before the planner takes the changes.
    func changesDatagramEndpoints(_ changes: [FactChange]) -> Bool {
        changes.contains { change in
            guard case .endpointSlice(let name, let slice) = change else { return false }
            let old = planner.facts.slice(named: name)
            return old != slice && [old, slice].contains { $0?.ports.contains { $0.protocolKind == .udp } == true }
        }
    }

    var datagramServices: DatagramServices { DatagramServices(planner.servicePorts) }

    func conntrackFamilies() -> [MetricFamily] {
        let statistics = datagramCleaner.statistics
        func label(_ family: AddressFamily) -> KeyValuePairs<String, String> { ["ip_family": "\(family)"] }
        return [
            MetricFamily(
                .histogram, "kubeproxy_conntrack_reconciler_sync_duration_seconds",
                help: "Looking for stale UDP flows in the kernel's connection tracking.",
                samples: AddressFamily.allCases.map { MetricSample(statistics.durations[$0], labels: label($0)) }),
            MetricFamily(
                .counter, "kubeproxy_conntrack_reconciler_deleted_entries_total",
                help: "Stale UDP flows that the kernel's connection tracking was made to forget.",
                samples: AddressFamily.allCases.map { MetricSample(statistics.forgotten[$0], labels: label($0)) }),
            MetricFamily(
                .counter, "martlet_conntrack_failures_total",
                help: "Attempts to clean up connection tracking that failed.",
                samples: [MetricSample(statistics.failures)]),
        ]
    }
}
