// Typed handles of the pinned maps. Opening needs no agent: inspection works with the agent down.

package import BPF
package import CDatapathABI
package import DatapathImage

package struct DatapathMaps: ~Copyable, Sendable {
    package let frontends: FrontendMap
    package let backends: MapDescriptor
    package let slots: MapDescriptor
    package let nodePorts: BPFMap<NodePortKey, UInt8>
    package let serviceCIDRs: BPFMap<PrefixKey, UInt8>
    package let services: BPFMap<UInt32, ServiceRecord>
    package let connections: ConnectionTable
    package let udpPages: BPFMap<dp_udp_page_key, dp_udp_page>
    package let affinity: BPFMap<dp_affinity_key, dp_affinity>
    package let outcomes: PerCPUMap<UInt32, UInt64>
    package let serviceCounters: PerCPUMap<UInt32, dp_service_counters>
    package let eventSwitch: BPFMap<UInt32, dp_event_switch>
    package let sourceRanges: BPFMap<SourceRangeKey, UInt8>
    package let nodeAddresses: BPFMap<dp_address, UInt8>
    package let devices: BPFMap<UInt32, dp_device>
    package let node: BPFMap<UInt32, dp_node>
    package let flows: BPFMap<dp_flow_key, dp_flow>
    package let flowReplies: BPFMap<dp_flow_key, dp_flow_reply>
    package let handover: BPFMap<UInt32, dp_handover>
    package let kernelFlows: BPFMap<dp_flow_key, dp_kernel_flow>
    package let nextHops: MapDescriptor
    /// CLOCK_MONOTONIC until which somebody wants to know more of packets than their counters say; zero: nobody.
    package let watch: BPFMap<UInt32, UInt64>
    package let captureSwitch: BPFMap<UInt32, dp_capture_switch>
    package let pinFolder: PinFolder

    /// - Throws: `notInstalled` when nothing is pinned in the folder, `otherContract` when it is not ours to read.
    package static func open(_ folder: PinFolder) throws(DatapathError) -> DatapathMaps {
        guard try kernel({ () throws(BPFError) in try folder.exists() }) else {
            throw .notInstalled(pinFolder: folder.path)
        }
        try checkContract(folder)
        return try kernel { () throws(BPFError) in try openAll(folder) }
    }

    private static func openAll(_ folder: PinFolder) throws(BPFError) -> DatapathMaps {
        DatapathMaps(
            frontends: try FrontendMap(
                places: .open(pinned: folder.pin(of: .frontends)),
                index: .open(pinned: folder.pin(of: .frontendIndex)),
                records: .open(pinned: folder.pin(of: .frontendRecords))),
            backends: try .open(pinned: folder.pin(of: .backends)),
            slots: try .open(pinned: folder.pin(of: .slots)),
            nodePorts: try .open(pinned: folder.pin(of: .nodePorts)),
            serviceCIDRs: try .open(pinned: folder.pin(of: .serviceCIDRs)),
            services: try .open(pinned: folder.pin(of: .services)),
            connections: try ConnectionTable(
                places: .open(pinned: folder.pin(of: .connections)),
                overflow: .open(pinned: folder.pin(of: .connectionsOverflow))),
            udpPages: try .open(pinned: folder.pin(of: .udpPages)),
            affinity: try .open(pinned: folder.pin(of: .affinity)),
            outcomes: try PerCPUMap(.open(pinned: folder.pin(of: .outcomes))),
            serviceCounters: try PerCPUMap(.open(pinned: folder.pin(of: .serviceCounters))),
            eventSwitch: try .open(pinned: folder.pin(of: .eventSwitch)),
            sourceRanges: try .open(pinned: folder.pin(of: .sourceRanges)),
            nodeAddresses: try .open(pinned: folder.pin(of: .nodeAddresses)),
            devices: try .open(pinned: folder.pin(of: .devices)),
            node: try .open(pinned: folder.pin(of: .node)),
            flows: try .open(pinned: folder.pin(of: .flows)),
            flowReplies: try .open(pinned: folder.pin(of: .flowReplies)),
            handover: try .open(pinned: folder.pin(of: .handover)),
            kernelFlows: try .open(pinned: folder.pin(of: .kernelFlows)),
            nextHops: try .open(pinned: folder.pin(of: .nextHops)),
            watch: try .open(pinned: folder.pin(of: .watch)),
            captureSwitch: try .open(pinned: folder.pin(of: .captureSwitch)),
            pinFolder: folder)
    }

    /// Whether the maps that are pinned follow the contract of this build. A folder without the map has no maps yet.
    static func checkContract(_ folder: PinFolder) throws(DatapathError) {
        let found: UInt32
        do {
            let contract = try BPFMap<UInt32, dp_contract>.open(pinned: folder.pin(of: .contract))
            found = try contract.lookup(0)?.abi_version ?? 0
        } catch {
            if error.isNotFound { return }
            throw .kernel(error)
        }
        guard found == 0 || found == DP_ABI_VERSION else {
            throw .otherContract(found: found, expected: DP_ABI_VERSION, pinFolder: folder.path)
        }
    }
}
