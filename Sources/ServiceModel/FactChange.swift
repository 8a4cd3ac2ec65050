// One step of what sources tell: an object now has this value, or is gone. Sources send whole values (EP-18).

package indirect enum FactChange: Hashable, Sendable {
    case service(ObjectName, Service?)
    case endpointSlice(ObjectName, EndpointSlice?)
    case node(String, Node?)
    case serviceCIDR(String, ServiceCIDR?)
}

extension FactChange {
    /// The object is gone.
    package var isDeletion: Bool {
        switch self {
        case .service(_, let service): service == nil
        case .endpointSlice(_, let slice): slice == nil
        case .node(_, let node): node == nil
        case .serviceCIDR(_, let serviceCIDR): serviceCIDR == nil
        }
    }
}
