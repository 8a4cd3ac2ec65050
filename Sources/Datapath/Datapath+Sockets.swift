// Destroying the sockets that a service's clients hold to endpoints which no longer serve, so that they reconnect at once
// (CT-1…CT-4, decision 6). Found by what the connect hook recorded for them, and only if their peer is still that backend:
// a socket that has gone elsewhere since, or that dialled the backend directly, is left alone. Whose a socket is, is said by
// the frontend that it dialled, as it is now (CT-3): a service may have been deleted and created anew meanwhile.

import BPF
import CDatapathABI
package import DatapathImage
import Netlink
import NetworkTypes
package import Reconciler
import Synchronization

extension Datapath {
    /// Cost: a walk over `connections`, and, if stale sockets are found, over the namespaces of this machine and the
    /// sockets in those concerned.
    package func destroyStaleSockets(_ stale: [StaleSockets]) throws(StoreError) {
        let wanted = stale.filter { $0.protocolKind == .udp || settings.terminatesTCP }
        guard !wanted.isEmpty else { return }
        try removeStaleFlows(wanted)
        var suspects: [UInt64: SuspectSockets]
        do {
            suspects = try recordedSockets(StaleRule(wanted))
        } catch {
            throw StoreError(.sockets, .read, error)
        }
        guard !suspects.isEmpty else { return }
        var round = NamespaceRound()
        do {
            try destroy(&suspects, &round)
        } catch {
            throw StoreError(map: .sockets, operation: .destroy, errno: error.errno, reason: error.description)
        }
        socketsDestroyed.add(UInt64(round.count), ordering: .relaxed)
        guard let failure = round.failures.first else { return }
        let more = round.failures.count > 1 ? "; and \(round.failures.count - 1) more like it" : ""
        throw StoreError(
            map: .sockets, operation: .destroy, errno: failure.errno, reason: failure.description + more)
    }

    /// By the cookie of their network namespace.
    private func recordedSockets(_ rule: StaleRule) throws(BPFError) -> [UInt64: SuspectSockets] {
        var suspects: [UInt64: SuspectSockets] = [:]
        var owners: [FrontendKey: UInt32] = [:]
        try maps.connections.forEach { (cookie, connection) throws(BPFError) in
            let key = connection.frontendKey
            if owners[key] == nil { owners[key] = try maps.frontends.lookup(key)?.fields.service_id ?? 0 }
            guard let owner = owners[key], rule.condemns(connection, of: owner), let place = connection.place else {
                return
            }
            suspects[connection.netns_cookie, default: SuspectSockets()].byPlace[place, default: []].insert(cookie)
        }
        return suspects
    }

    /// Goes through the namespaces until every suspect has been looked for. Those of namespaces that nobody shows any
    /// more cannot be reached; they are left to their owners.
    private func destroy(
        _ suspects: inout [UInt64: SuspectSockets], _ round: inout NamespaceRound
    ) throws(NetlinkError) {
        for reference in try NamespaceCensus.take().namespaces where !suspects.isEmpty {
            round.visit("net:[\(reference.inode)]") { () throws(NetlinkError) in
                try reference.open()
            } work: { (namespace) throws(NetlinkError) in
                guard let here = suspects.removeValue(forKey: try namespace.cookie()) else { return 0 }
                return try namespace.run { () throws(NetlinkError) in try here.destroy() }
            }
        }
    }
}

/// Which recorded connections are stale.
private struct StaleRule {
    private struct Service: Hashable {
        var id: UInt32
        var protocolNumber: UInt8
        var family: AddressFamily
    }

    private var serving: [Service: Set<AddressAndPort>] = [:]

    init(_ stale: [StaleSockets]) {
        for entry in stale {
            let service = Service(
                id: entry.serviceID, protocolNumber: entry.protocolKind.rawValue, family: entry.family)
            serving[service] = Set(entry.serving)
        }
    }

    func condemns(_ connection: dp_connection, of service: UInt32) -> Bool {
        let backend = AddressAndPort(
            address: connection.backend.ipAddress, port: UInt16(bigEndian: connection.backend_port_be))
        let service = Service(
            id: service, protocolNumber: connection.protocol, family: backend.address.family)
        guard let addresses = serving[service] else { return false }
        return !addresses.contains(backend)
    }
}

/// Sockets of one namespace, by where they are connected to.
private struct SuspectSockets: Sendable {
    struct Place: Hashable, Sendable {
        var transport: TransportProtocol
        var backend: AddressAndPort
    }

    var byPlace: [Place: Set<UInt64>] = [:]

    /// Runs inside the namespace. Returns how many were destroyed.
    func destroy() throws(NetlinkError) -> Int {
        var diagnostics = try SocketDiagnostics()
        var count = 0
        for (place, cookies) in byPlace {
            do throws(NetlinkError) {
                let connected = try diagnostics.sockets(place.transport, connectedTo: place.backend)
                count += try diagnostics.destroy(connected.filter { cookies.contains($0.cookie) })
            } catch {
                throw error.explained(place.transport)
            }
        }
        return count
    }
}

extension dp_connection {
    fileprivate var frontendKey: FrontendKey {
        FrontendKey(dp_frontend_key(address: frontend, port_be: frontend_port_be, protocol: self.protocol, pad: 0))
    }

    fileprivate var place: SuspectSockets.Place? {
        guard let transport = TransportProtocol(rawValue: self.protocol) else { return nil }
        return SuspectSockets.Place(
            transport: transport,
            backend: AddressAndPort(address: backend.ipAddress, port: UInt16(bigEndian: backend_port_be)))
    }
}
