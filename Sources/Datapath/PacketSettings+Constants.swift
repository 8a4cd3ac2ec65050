// The packet programs' constants (bpf/lib/packet_config.bpf.h), from the settings.

import BPF
import CDatapathABI
import DatapathImage
import NetworkTypes

extension PacketSettings {
    func setConstants(of object: inout BPFObject) throws(BPFError) {
        try object.setConstant("snat_first_port", sourcePorts.lowerBound)
        try object.setConstant("snat_port_count", UInt16(clamping: sourcePorts.count))
        try object.setConstant("tcp_established_s", timeouts.tcpEstablished)
        try object.setConstant("tcp_opening_s", timeouts.tcpOpening)
        try object.setConstant("tcp_closing_s", timeouts.tcpClosing)
        try object.setConstant("datagram_opening_s", timeouts.datagram)
        try object.setConstant("datagram_stream_s", timeouts.datagramStream)
        try object.setConstant("dispatch_by_option", UInt8(dispatch == .option ? 1 : 0))
        if let range = tunnelSources[.ipv4] {
            try object.setConstant("tunnel_source_ipv4_be", dp_address(range.address).words_be.3)
            try object.setConstant("tunnel_source_ipv4_bits", UInt8(range.prefixLength))
        }
        if let range = tunnelSources[.ipv6] {
            try object.setConstant("tunnel_source_ipv6_be", dp_address(range.address))
            try object.setConstant("tunnel_source_ipv6_bits", UInt8(range.prefixLength))
        }
    }
}
