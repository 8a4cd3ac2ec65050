// The seam to the timed loops in C. Nothing else in the bench touches a pointer.

import CBench
import HostCalls

/// Where one case dials, and its place in the turn.
struct Destinations {
    /// In network order.
    private let addresses: [UInt32]
    private let port: UInt16
    private var next: UInt32 = 0

    init(addresses: [String], port: UInt16) throws {
        guard !addresses.isEmpty else { throw CallFailure("dial", "no address", errno: 22) }
        self.port = port
        self.addresses = try addresses.map { text in
            let number = unsafe bench_parse_ipv4(text)
            guard number != 0 else { throw CallFailure("inet_pton", text, errno: 22) }
            return number
        }
    }

    /// Dials `count` sockets one after the other and returns the median of their times, in nanoseconds.
    mutating func dial(
        _ transport: DialTransport, listener: Int32, count: Int
    ) throws -> (connect: Double, close: Double) {
        var connect = [UInt32](repeating: 0, count: count)
        var close = connect
        let (result, place) = unsafe addresses.withUnsafeBufferPointer { addresses in
            var value = unsafe bench_destinations(
                addresses_be: addresses.baseAddress, count: UInt32(addresses.count), next: next, port: port)
            let result = unsafe bench_dial(transport.code, &value, listener, UInt32(count), &connect, &close)
            return unsafe (result, value.next)
        }
        guard result == 0 else { throw CallFailure("connect", transport.rawValue, errno: -result) }
        next = place
        return (Self.median(connect), Self.median(close))
    }

    private static func median(_ values: [UInt32]) -> Double {
        let sorted = values.sorted()
        return Double(sorted[sorted.count / 2])
    }
}

extension DialTransport {
    fileprivate var code: bench_transport {
        switch self {
        case .udp: BENCH_UDP
        case .tcp: BENCH_TCP
        case .unroutedTCP: BENCH_TCP_UNROUTED
        case .request: BENCH_REQUEST
        }
    }
}

/// Keeps this process on one processor.
func pin(toProcessor number: Int) throws {
    let result = bench_pin_to_cpu(Int32(number))
    guard result == 0 else { throw CallFailure("sched_setaffinity", "CPU \(number)", errno: -result) }
}

/// A listening TCP socket, for the rest of the process's life.
func listen(port: UInt16) throws -> Int32 {
    let listener = bench_listen(port)
    guard listener >= 0 else { throw CallFailure("listen", "port \(port)", errno: -listener) }
    return listener
}
