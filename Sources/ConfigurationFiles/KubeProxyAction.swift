// What kube-proxy's flags ask for instead of running: LIFE-2, LIFE-3 and LIFE-5.

package enum KubeProxyAction: Hashable, Sendable {
    /// Raw values are the flags.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case cleanUp = "cleanup"
        case initOnly = "init-only"
        case writeConfiguration = "write-config-to"
    }

    /// Take the datapath down.
    case cleanUp
    /// Do what needs privileges, and end.
    case initOnly
    /// Write the configuration that would be used into this file.
    case writeConfiguration(to: String)
}
