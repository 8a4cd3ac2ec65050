// The maps of bpf/lib/maps.bpf.h and packet_maps.bpf.h by name: the name of a map is also the name of its pin.

import DatapathImage

package enum MapName: String, CaseIterable, Sendable {
    case frontends
    case frontendIndex = "frontend_index"
    case frontendRecords = "frontend_records"
    case backends
    case slots
    case nodePorts = "node_ports"
    case serviceCIDRs = "service_cidrs"
    case skipCgroups = "skip_cgroups"
    case services
    case contract
    case connections
    case connectionsOverflow = "connections_overflow"
    case udpPages = "udp_pages"
    case affinity
    case outcomes
    case serviceCounters = "service_counters"
    case eventSwitch = "event_switch"
    case eventBudget = "event_budget"
    case events
    case multipath
    case sourceRanges = "source_ranges"
    case nodeAddresses = "node_addresses"
    case devices
    case node
    case flows
    case flowReplies = "flow_replies"
    case handover
    case kernelFlows = "kernel_flows"
    case nextHops = "next_hops"
    case fragments
    case watch
    case captureSwitch = "capture_switch"
    case captures

    /// The configured size of the map; nil where the object's own size stands.
    func size(in sizes: MapSizes) -> UInt32? {
        switch self {
        case .frontends: sizes.frontends
        // Room for changes, whose old records stay for the grace period.
        case .frontendRecords: sizes.frontends + sizes.frontends / 4 + 1024
        case .frontendIndex: FrontendIndex.buckets(frontends: sizes.frontends)
        case .backends: sizes.backends
        case .slots: sizes.slotWords
        case .nodePorts: sizes.nodePorts
        case .serviceCIDRs: sizes.serviceCIDRs
        case .services, .serviceCounters: sizes.services
        case .connections: sizes.connections
        case .connectionsOverflow: max(64, sizes.connections / 2)
        case .udpPages: sizes.udpPages
        case .affinity: sizes.affinity
        case .events, .captures: sizes.eventBytes
        case .sourceRanges: sizes.sourceRanges
        case .flows, .flowReplies: sizes.flows
        // One for each backend id.
        case .nextHops: sizes.backends
        case .skipCgroups, .contract, .outcomes, .eventSwitch, .eventBudget, .multipath: nil
        case .nodeAddresses, .devices, .node, .fragments, .watch, .captureSwitch: nil
        case .handover, .kernelFlows: nil
        }
    }
}
