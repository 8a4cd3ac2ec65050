// Everything that an agent is told when it starts. Built by the command line from flags and files.

package import Datapath
package import LoadBalancing

package struct AgentSettings: Sendable {
    /// A directory or a file of manifests.
    package var manifests: String
    package var node: NodeSettings
    package var datapath: DatapathSettings
    /// Destroy TCP sockets of endpoints that stopped serving, as is always done for UDP.
    package var terminatesTCP: Bool
    package var gracePeriod: Duration
    package var auditInterval: Duration?
    /// `host:port`, IPv6 in brackets; nil: no metrics server.
    package var metricsAddress: String?
    /// Where the state file is written, for `martlet status`.
    package var stateFolder: String

    package init(
        manifests: String, node: NodeSettings, datapath: DatapathSettings, terminatesTCP: Bool = false,
        gracePeriod: Duration = .seconds(30), auditInterval: Duration? = .seconds(60), metricsAddress: String? = nil,
        stateFolder: String
    ) {
        self.manifests = manifests
        self.node = node
        self.datapath = datapath
        self.terminatesTCP = terminatesTCP
        self.gracePeriod = gracePeriod
        self.auditInterval = auditInterval
        self.metricsAddress = metricsAddress
        self.stateFolder = stateFolder
    }
}
