// The constants of every object (bpf/lib/config.bpf.h and packet_config.bpf.h), from the settings and from the sizes that the
// maps really have.

import BPF

extension DatapathSettings {
    /// - Parameters:
    ///   - places: of `connections`.
    ///   - buckets: of `frontend_index`.
    ///   - records: of `frontend_records`.
    ///   - linkHeaderBytes: what packets begin with on the devices that TC's programs are for.
    func setConstants(
        of object: inout BPFObject, _ kind: DatapathObject, places: UInt32, buckets: UInt32, records: UInt32,
        linkHeaderBytes: UInt32
    ) throws(BPFError) {
        switch kind {
        case .sock: try setSocketConstants(of: &object, places: places)
        case .nodePortXDP: try packets.setConstants(of: &object)
        case .nodePortTC:
            try packets.setConstants(of: &object)
            try object.setConstant("link_header_bytes", linkHeaderBytes)
        }
        try FrontendIndex.setConstants(of: &object, buckets: buckets, places: records)
    }

    private func setSocketConstants(of object: inout BPFObject, places: UInt32) throws(BPFError) {
        try object.setConstant("host_netns_cookie", hostNamespaceCookie)
        try object.setConstant("pods_are_local_ipv4", UInt8(podsAreLocalIPv4 ? 1 : 0))
        try object.setConstant("pods_are_local_ipv6", UInt8(podsAreLocalIPv6 ? 1 : 0))
        try object.setConstant("protect_node_ports", UInt8(protectNodePorts ? 1 : 0))
        try object.setConstant("record_tcp", UInt8(recordTCP ? 1 : 0))
        try object.setConstant("connection_mask", ConnectionTable.mask(places: places))
        try object.setConstant("skip_cgroup_count", UInt32(skipCgroups.count))
    }
}
