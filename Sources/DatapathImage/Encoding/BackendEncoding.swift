// Element of `backends` (bpf/abi/frontends.h); the index is the backend id, and id 0 is never used.

package import CDatapathABI
package import NetworkTypes

package typealias BackendRecord = ABIRecord<dp_backend>

extension BackendRecord {
    package init(
        _ address: AddressAndPort, protocol protocolKind: TransportProtocol, weight: UInt32, isLocal: Bool = false
    ) {
        self.init(
            dp_backend(
                address: dp_address(address.address), port_be: address.port.bigEndian, protocol: protocolKind.rawValue,
                flags: isLocal ? UInt8(DP_BACKEND_LOCAL.rawValue) : 0, weight: weight))
    }

    /// A free element.
    package static var free: Self { Self(dp_backend()) }

    package var isFree: Bool { self == .free }
    package var isLocal: Bool { UInt32(fields.flags) & DP_BACKEND_LOCAL.rawValue != 0 }
    package var address: AddressAndPort {
        AddressAndPort(address: fields.address.ipAddress, port: UInt16(bigEndian: fields.port_be))
    }
}
