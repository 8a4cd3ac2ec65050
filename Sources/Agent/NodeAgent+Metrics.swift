// The agent's metrics page: what it has done, what the kernel has counted, what is wrong. Everything is read when it is
// asked for; nothing is kept up to date for it.

import BPF
import Datapath
import DatapathImage
import LoadBalancing
import NetworkTypes
import Reconciler
import ServiceModel
import Synchronization
package import Telemetry

extension NodeAgent {
    package func metricsPage() async -> MetricsPage {
        let counters = await reconciler.counters
        let (used, limits) = await reconciler.usage
        let failed = await reconciler.failedFrontends.count
        let failedRanges = await reconciler.failedServiceCIDRs.count
        return MetricsPage(
            agentFamilies(failed: failed, failedRanges: failedRanges) + source.metricFamilies
                + configuration.metricFamilies + events.metricFamilies + ProcessMetrics.families()
                + reconcilerFamilies(counters)
                + mapFamilies(used, limits)
                + outcomeFamilies() + attachmentFamilies() + kubeProxyFamilies() + conntrackFamilies()
                + (await Self.serviceFamilies(await reconciler.serviceIDs, datapath)))
    }

    private func agentFamilies(failed: Int, failedRanges: Int) -> [MetricFamily] {
        [
            MetricFamily(
                .gauge, "martlet_synced", help: "1 once every source has been read and programmed.",
                samples: [MetricSample(isSynced ? 1 : 0)]),
            MetricFamily(
                .gauge, "martlet_services", help: "Services known.",
                samples: [MetricSample(planner.facts.services.count)]),
            MetricFamily(
                .gauge, "martlet_frontends_failed", help: "Frontends that are not programmed as planned.",
                samples: [MetricSample(failed)]),
            MetricFamily(
                .gauge, "martlet_service_cidrs_failed", help: "Service ranges that have no room in their map.",
                samples: [MetricSample(failedRanges)]),
            MetricFamily(
                .gauge, "martlet_input_problems", help: "Problems of input objects at the moment.",
                samples: [
                    MetricSample(sourceProblems.count, labels: ["source": source.label]),
                    MetricSample(plannerProblems.values.reduce(0) { $0 + $1.count }, labels: ["source": "rules"]),
                ]),
            MetricFamily(
                .gauge, "martlet_node_addresses_followed",
                help: "1 unless changes of the node's addresses go unnoticed for the moment.",
                samples: [MetricSample(addressTrouble == nil ? 1 : 0)]),
            MetricFamily(
                .counter, "martlet_input_errors_total", help: "Problems of input objects, each when it appeared.",
                samples: [MetricSample(counters.inputErrors, labels: ["source": source.label])]),
            MetricFamily(
                .counter, "martlet_installation_repairs_total",
                help: "Pins and links restored after somebody removed them.",
                samples: [MetricSample(counters.installationRepairs)]),
            MetricFamily(
                .counter, "martlet_stale_sockets_destroyed_total",
                help: "Sockets destroyed because their endpoint stopped serving.",
                samples: [MetricSample(datapath.socketsDestroyed.load(ordering: .relaxed))]),
            MetricFamily(
                .histogram, "martlet_sync_duration_seconds",
                help: "From changed plans to the last flipped frontend.", samples: [MetricSample(counters.syncs)]),
        ]
    }

    private func reconcilerFamilies(_ counters: ReconcilerCounters) -> [MetricFamily] {
        func byMap(_ values: [StoreError.Map: UInt64]) -> [MetricSample] {
            StoreError.Map.allCases.map { MetricSample(values[$0] ?? 0, labels: ["map": $0.rawValue]) }
        }
        return [
            MetricFamily(
                .counter, "martlet_transactions_total", help: "Transactions with at least one write.",
                samples: [MetricSample(counters.transactions)]),
            MetricFamily(
                .counter, "martlet_map_entries_written_total", help: "Entries written; words in the case of slots.",
                samples: byMap(counters.written)),
            MetricFamily(
                .counter, "martlet_map_entries_removed_total", help: "Entries removed.",
                samples: byMap(counters.removed)),
            MetricFamily(
                .counter, "martlet_map_failures_total", help: "Calls into the kernel that failed, in part or whole.",
                samples: byMap(counters.failures)),
            MetricFamily(
                .counter, "martlet_retries_total", help: "Attempts to write again what had failed.",
                samples: [MetricSample(counters.retries)]),
            MetricFamily(
                .counter, "martlet_audits_total", help: "Full comparisons of the maps with what they should hold.",
                samples: [MetricSample(counters.audits)]),
            MetricFamily(
                .counter, "martlet_audit_differences_total", help: "Entries that an audit found different.",
                samples: [MetricSample(counters.differencesFound)]),
        ]
    }

    private func mapFamilies(_ used: ImageLimits, _ limits: ImageLimits) -> [MetricFamily] {
        let maps: [(String, Int, Int)] = [
            ("frontends", used.frontends, limits.frontends), ("backends", used.backends, limits.backends),
            ("slots", used.slotWords, limits.slotWords), ("services", used.services, limits.services),
            ("node_ports", used.nodePorts, limits.nodePorts),
            ("service_cidrs", used.serviceCIDRs, limits.serviceCIDRs),
            ("source_ranges", used.sourceRanges, limits.sourceRanges),
        ]
        return [
            MetricFamily(
                .gauge, "martlet_map_used_entries", help: "Entries in use; words in the case of slots.",
                samples: maps.map { MetricSample($0.1, labels: ["map": $0.0]) }),
            MetricFamily(
                .gauge, "martlet_map_capacity_entries", help: "Entries that the map has room for.",
                samples: maps.map { MetricSample($0.2, labels: ["map": $0.0]) }),
        ]
    }

    private func outcomeFamilies() -> [MetricFamily] {
        let counts = (try? datapath.maps.outcomeCounts()) ?? []
        func samples(ofPackets: Bool) -> [MetricSample] {
            counts.filter { $0.outcome.isOfPackets == ofPackets }
                .map { MetricSample($0.count, labels: ["outcome": $0.outcome.name]) }
        }
        return [
            MetricFamily(
                .counter, "martlet_socket_outcomes_total",
                help:
                    "What became of calls at the socket hooks. Packets that are refused for the same reason count too.",
                samples: samples(ofPackets: false)),
            MetricFamily(
                .counter, "martlet_packet_outcomes_total",
                help: "What became of packets at the packet hooks, save refusals that calls meet as well.",
                samples: samples(ofPackets: true)),
        ]
    }

    /// What is attached to devices as the agent left it, and what was wanted and is not there.
    private func attachmentFamilies() -> [MetricFamily] {
        let hooks = attachments?.devices.flatMap(\.hooks) ?? []
        var samples: [MetricSample] = []
        for (hook, way) in Self.waysOfHooks {
            let count = hooks.count { $0.hook == hook && $0.way == way }
            samples.append(MetricSample(count, labels: ["hook": hook.rawValue, "way": way.rawValue]))
        }
        return [
            MetricFamily(
                .gauge, "martlet_device_hooks_attached", help: "Packet hooks of devices, by how they are attached.",
                samples: samples),
            MetricFamily(
                .gauge, "martlet_device_hooks_missing", help: "Packet hooks of devices that are wanted and not there.",
                samples: PacketHook.allCases.map { hook in
                    MetricSample(hooks.count { $0.hook == hook && $0.way == nil }, labels: ["hook": hook.rawValue])
                }),
        ]
    }

    private static let waysOfHooks: [(PacketHook, AttachmentReport.Way)] = [
        (.tcEgress, .tcx), (.tcEgress, .clsact), (.tcIngress, .tcx), (.tcIngress, .clsact), (.xdp, .native),
        (.xdp, .generic),
    ]

    /// Off the actor: that is one system call for each service port, and changes must not wait for a scrape.
    @concurrent
    private static func serviceFamilies(
        _ ids: [(id: UInt32, name: ServicePortName)], _ datapath: Datapath
    ) async -> [MetricFamily] {
        var connections: [MetricSample] = []
        var refused: [MetricSample] = []
        var packets: [MetricSample] = []
        var bytes: [MetricSample] = []
        for (id, name) in ids {
            guard let counters = try? datapath.maps.counters(ofService: id) else { continue }
            let labels: KeyValuePairs = [
                "namespace": name.service.namespace, "service": name.service.name, "port": name.portName,
                "protocol": name.protocolKind.description,
            ]
            connections.append(MetricSample(counters.connections, labels: labels))
            refused.append(MetricSample(counters.refused, labels: labels))
            packets.append(MetricSample(counters.packets, labels: labels))
            bytes.append(MetricSample(counters.bytes, labels: labels))
        }
        return [
            MetricFamily(
                .counter, "martlet_service_connections_total",
                help: "TCP connects, UDP connects, new UDP peers and new flows of packets, by service port.",
                samples: connections),
            MetricFamily(
                .counter, "martlet_service_refused_total",
                help: "Calls and packets refused or dropped, by service port.",
                samples: refused),
            MetricFamily(
                .counter, "martlet_service_packets_total",
                help: "Packets of clients at the packet hooks, by service port.",
                samples: packets),
            MetricFamily(
                .counter, "martlet_service_bytes_total", help: "Their bytes from the IP header on, by service port.",
                samples: bytes),
        ]
    }
}
