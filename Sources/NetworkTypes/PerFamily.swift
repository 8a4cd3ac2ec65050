// One value for each address family. The families are independent proxies (DS-1), so most facts about a node come in
// twos; a dictionary would have a missing-key case that never happens.

package struct PerFamily<Value> {
    package var ipv4: Value
    package var ipv6: Value

    package init(ipv4: Value, ipv6: Value) {
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }

    /// Asks for each family in turn.
    package init(_ value: (AddressFamily) -> Value) {
        self.init(ipv4: value(.ipv4), ipv6: value(.ipv6))
    }

    package subscript(family: AddressFamily) -> Value {
        get {
            switch family {
            case .ipv4: ipv4
            case .ipv6: ipv6
            }
        }
        set {
            switch family {
            case .ipv4: ipv4 = newValue
            case .ipv6: ipv6 = newValue
            }
        }
    }
}

extension PerFamily: Equatable where Value: Equatable {}
extension PerFamily: Hashable where Value: Hashable {}
extension PerFamily: Sendable where Value: Sendable {}
