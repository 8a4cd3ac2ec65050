// What the health-check node port of one service is to say (HC-1 to HC-3).

package import NetworkTypes
package import ServiceModel

package struct ServiceHealth: Hashable, Sendable {
    package var port: UInt16
    /// Distinct local addresses with ready endpoints; nil in a family that the service does not have.
    package var localReady: PerFamily<Int?>

    package init(port: UInt16, localReady: PerFamily<Int?>) {
        self.port = port
        self.localReady = localReady
    }
}

/// A service whose health-check node port cannot be served for now (HC-6).
package struct HealthCheckFailure: Hashable, Sendable {
    package var service: ObjectName
    /// In a sentence: which address, and why.
    package var reason: String
}
