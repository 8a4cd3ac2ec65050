// What can become of one call at a socket hook, or of one packet: the names and the words for enum dp_outcome of bpf/abi/observe.h. The
// one table that tables, events and metrics take their words from; a test compares it with the enumeration.

import CDatapathABI

/// Raw values are those of `enum dp_outcome`.
package enum Outcome: UInt32, CaseIterable, Sendable {
    case forwarded = 0
    case noEndpoints = 1
    case noLocalEndpoints = 2
    case sourceRange = 3
    case unknownPort = 4
    case bindProtected = 5
    case connectionUnrecorded = 6
    case udpPeerUnrecorded = 7
    case affinityUnrecorded = 8
    case badRecord = 9
    case eventsLost = 10
    case unownedAddress = 11
    case answeredLocally = 12
    case sentOn = 13
    case tunnelled = 14
    case decapsulated = 15
    case replied = 16
    case echoAnswered = 17
    case errorTranslated = 18
    case tooBig = 19
    case malformed = 20
    case fragmentUnknown = 21
    case flowsFull = 22
    case portsExhausted = 23
    case portCollision = 24
    case noRoute = 25
    case noSourceAddress = 26
    case fromOutside = 27
    case flowTracked = 28
    case neighbourPending = 29
    case unsupported = 30
    case hopsExceeded = 31
    case flowUntimed = 32
    case kernelRefused = 33
    case errorUnknown = 34
    case dispatched = 35
    case optionTaken = 36
    case optionRefused = 37
    case flowUnknown = 38
    case tunnelErrorShort = 39
    case capturesLost = 40

    /// Whether only packets can have it; refusals that calls meet as well are counted together.
    package var isOfPackets: Bool { rawValue >= Self.answeredLocally.rawValue }

    /// What became of the call.
    package enum Effect: String, Sendable {
        case forwarded
        /// ECONNREFUSED, or EADDRINUSE from bind.
        case refused
        /// A time-out for TCP, EPERM for a datagram.
        case dropped
        /// Nothing: the call or packet went on, and something beside it went wrong.
        case noted
    }

    /// For scripts, filters and metric labels; never changes.
    package var name: String {
        switch self {
        case .forwarded: "forwarded"
        case .noEndpoints: "no_endpoints"
        case .noLocalEndpoints: "no_local_endpoints"
        case .sourceRange: "source_range"
        case .unknownPort: "unknown_port"
        case .bindProtected: "bind_protected"
        case .connectionUnrecorded: "connection_unrecorded"
        case .udpPeerUnrecorded: "udp_peer_unrecorded"
        case .affinityUnrecorded: "affinity_unrecorded"
        case .badRecord: "bad_record"
        case .eventsLost: "events_lost"
        case .unownedAddress: "unowned_address"
        case .answeredLocally: "answered_locally"
        case .sentOn: "sent_on"
        case .tunnelled: "tunnelled"
        case .decapsulated: "decapsulated"
        case .replied: "replied"
        case .echoAnswered: "echo_answered"
        case .errorTranslated: "error_translated"
        case .tooBig: "too_big"
        case .malformed: "malformed"
        case .fragmentUnknown: "fragment_unknown"
        case .flowsFull: "flows_full"
        case .portsExhausted: "ports_exhausted"
        case .portCollision: "port_collision"
        case .noRoute: "no_route"
        case .noSourceAddress: "no_source_address"
        case .fromOutside: "from_outside"
        case .flowTracked: "flow_tracked"
        case .neighbourPending: "neighbour_pending"
        case .unsupported: "unsupported"
        case .hopsExceeded: "hops_exceeded"
        case .flowUntimed: "flow_untimed"
        case .kernelRefused: "kernel_refused"
        case .errorUnknown: "error_unknown"
        case .dispatched: "dispatched"
        case .optionTaken: "option_taken"
        case .optionRefused: "option_refused"
        case .flowUnknown: "flow_unknown"
        case .tunnelErrorShort: "tunnel_error_short"
        case .capturesLost: "captures_lost"
        }
    }

    package init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    package var effect: Effect {
        switch self {
        case .forwarded, .answeredLocally, .sentOn, .tunnelled, .replied, .echoAnswered, .errorTranslated, .dispatched:
            .forwarded
        case .noEndpoints, .unknownPort, .bindProtected, .badRecord, .fromOutside: .refused
        case .noLocalEndpoints, .sourceRange, .unownedAddress, .tooBig, .malformed, .fragmentUnknown, .flowsFull,
            .portsExhausted, .noRoute, .noSourceAddress, .unsupported, .hopsExceeded, .kernelRefused,
            .errorUnknown, .optionRefused, .flowUnknown:
            .dropped
        case .connectionUnrecorded, .udpPeerUnrecorded, .affinityUnrecorded, .eventsLost, .decapsulated, .portCollision,
            .flowTracked, .flowUntimed, .neighbourPending, .optionTaken, .tunnelErrorShort, .capturesLost:
            .noted
        }
    }

    /// For people, with the rule behind it.
    package var reason: String {
        switch self {
        case .forwarded: "sent to a backend"
        case .noEndpoints: "refused: the service has no usable endpoint anywhere (REJ-1)"
        case .noLocalEndpoints:
            "dropped: usable endpoints are on other nodes only, and the policy is Local (TP-3, TP-7)"
        case .sourceRange: "dropped: loadBalancerSourceRanges exclude the client (LBSR-1)"
        case .unknownPort: "refused: the address is a service's, the port is not (SVC-12)"
        case .bindProtected: "bind refused: the port is a NodePort"
        case .connectionUnrecorded: "forwarded without reverse state: map connections_overflow is full"
        case .udpPeerUnrecorded: "forwarded without reverse state, replies show the backend: map udp_pages is full"
        case .affinityUnrecorded: "forwarded, but the session affinity could not be recorded"
        case .badRecord: "refused: a record in the maps contradicts itself"
        case .eventsLost: "events not delivered: rate limit reached, or the ring was full"
        case .unownedAddress: "dropped: the address is inside a ServiceCIDR, and no service owns it (SVC-12)"
        case .answeredLocally: "handed to a backend of this node"
        case .sentOn: "sent to a backend with an address of this node as source"
        case .tunnelled: "sent to a backend of another node inside of another packet (DSR)"
        case .decapsulated: "came inside of another packet for a backend of this node (DSR)"
        case .replied: "a backend's reply, translated back"
        case .echoAnswered: "answered an echo request to a virtual address"
        case .errorTranslated: "an ICMP error about a flow, translated (ICMP-1)"
        case .tooBig: "dropped: does not fit on the way to the backend; the sender was told"
        case .malformed: "dropped: to a frontend, but its headers contradict each other"
        case .fragmentUnknown: "dropped: a later fragment whose first was not seen"
        case .flowsFull: "dropped: map flows has no room for a new flow"
        case .portsExhausted: "dropped: no source port is free towards the backend"
        case .portCollision: "a source port was taken, and another one was tried"
        case .noRoute: "dropped: there is no route to the backend, or back to the client"
        case .noSourceAddress: "dropped: the way out has no address to masquerade with (MASQ-10)"
        case .fromOutside: "refused: an outside client at a ClusterIP"
        case .flowTracked: "a DSR flow in a moved slot was given a record"
        case .neighbourPending: "passed on to TC: XDP cannot send it to its next hop yet"
        case .unsupported: "dropped: a protocol or header that cannot be translated"
        case .hopsExceeded: "dropped: the packet may not travel any further"
        case .dispatched: "sent to a backend's own address on another node, by option (DSR)"
        case .optionTaken: "came with DSR's option, for a backend of this node"
        case .optionRefused: "dropped: DSR's option names a frontend that this backend does not serve here"
        case .flowUnknown: "dropped: sent by option on a flow that its backend's node has no record of (DSR)"
        case .tunnelErrorShort: "an ICMP error about a DSR tunnel that quotes too little to tell the client"
        case .flowUntimed: "a flow got a record without a timer: the kernel had no memory for one at that moment"
        case .kernelRefused: "dropped: the kernel refused to make room in the frame, to write or to send it"
        case .errorUnknown: "dropped: an ICMP error out of a tunnel, about a flow that has no record"
        case .capturesLost: "captured packets not delivered: rate limit reached, or the ring was full"
        }
    }
}
