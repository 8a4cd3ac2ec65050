// Value of `services`: the name of a service port in the fixed fields of bpf/abi/frontends.h.

package import CDatapathABI
import NetworkTypes
package import ServiceModel

package typealias ServiceRecord = ABIRecord<dp_service>

extension ServiceRecord {
    /// Names longer than DP_NAME_BYTES lose their end; Kubernetes allows none that long. Two names with one record can
    /// still have an id each: the record is for people, and for finding ids again at start.
    package init(_ name: ServicePortName) {
        var service = dp_service()
        Self.copy(name.service.namespace, to: &service.service_namespace)
        Self.copy(name.service.name, to: &service.name)
        Self.copy(name.portName, to: &service.port_name)
        service.protocol = name.protocolKind.rawValue
        self.init(service)
    }

    /// Nil if the protocol is none of a service's.
    package var name: ServicePortName? {
        guard let protocolKind = TransportProtocol(rawValue: fields.protocol) else { return nil }
        return ServicePortName(
            service: ObjectName(
                namespace: Self.text(fields.service_namespace), name: Self.text(fields.name)),
            portName: Self.text(fields.port_name), protocol: protocolKind)
    }

    private static func copy<Field: BitwiseCopyable>(_ text: String, to field: inout Field) {
        unsafe withUnsafeMutableBytes(of: &field) { unsafe $0.copyBytes(from: text.utf8.prefix($0.count)) }
    }

    private static func text<Field: BitwiseCopyable>(_ field: Field) -> String {
        unsafe withUnsafeBytes(of: field) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
