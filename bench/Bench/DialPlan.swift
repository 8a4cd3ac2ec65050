// What a dialling worker is told to do, and what it brings back: both cross between two processes as JSON.

import FoundationEssentials

/// The transports that are timed.
enum DialTransport: String, Codable {
    /// connect() on UDP sends no packet: what is timed is the call itself.
    case udp
    /// To a listener of the worker's own, through loopback.
    case tcp
    /// Towards a route that refuses after the hook has run: TCP's hook without TCP's handshake.
    case unroutedTCP
    /// Everything from socket() to close() with a request and its answer. Client and server take turns on one thread.
    case request

    /// Those that time connect() alone.
    static let connects: [DialTransport] = [.udp, .tcp, .unroutedTCP]
}

/// One thing to be timed, over and over.
struct DialCase: Codable {
    let name: String
    /// The cgroup2 folder in which its sockets are made.
    let group: String
    let transport: DialTransport
    /// IPv4 addresses, dialled in turn.
    let addresses: [String]
    let port: UInt16
    /// The name of the case that it is compared with, round by round.
    var baseline: String?
}

struct DialPlan: Codable {
    let cases: [DialCase]
    let rounds: Int
    /// Sockets for each case and round.
    let sockets: Int
    /// Sockets before them that are not counted.
    let warmUp: Int
    let processor: Int
    /// The port that the worker listens on for TCP.
    let listenPort: UInt16
    /// The network namespaces that it dials and listens in, by path.
    let namespace: String
    let listenNamespace: String
}

/// The nanoseconds that each round saw, one entry for each round.
struct DialTimes: Codable {
    /// Of connect(); of everything for requests.
    var connect: [Double] = []
    var close: [Double] = []
}

/// By the name of the case.
typealias DialResults = [String: DialTimes]
