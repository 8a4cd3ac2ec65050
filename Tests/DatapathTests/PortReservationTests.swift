// Reserving source ports with the kernel, in a network namespace of the test's own.

import Datapath
import Foundation
import Glibc
import KernelTestSupport
import NetworkTypes
import SystemCalls
import Testing

@Suite("Reserved source ports", .enabled(if: canUseKernel))
struct PortReservationTests {
    private static let setting = "/proc/sys/net/ipv4/ip_local_reserved_ports"

    /// Runs in a new namespace in which these ports are reserved, with a folder for records.
    private static func run(_ before: String, _ body: @escaping @Sendable (PortReservation) throws -> Void) throws {
        let folder = "/tmp/\(uniqueName("ports"))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try inNewNetworkNamespace {
            try ControlFile.write("\(before)\n", to: setting)
            try body(PortReservation(record: "\(folder)/record"))
        }
    }

    private static func reserved() throws -> String {
        String(decoding: try WholeFile.bytes(of: setting), as: UTF8.self).filter { !$0.isWhitespace }
    }

    @Test(
        "are added to what is reserved, and taken away again, and nothing else is",
        arguments: [
            ("", "61000-65535"), ("8080,9000-9010", "8080,9000-9010,61000-65535"),
            ("8080,62000-62100", "8080,61000-65535"), ("60000-61500", "60000-65535"),
        ])
    func merging(_ before: String, _ after: String) throws {
        try Self.run(before) { reservation in
            try reservation.reserve(61000...65535)
            #expect(try Self.reserved() == after)
            // Another start of the agent.
            try reservation.reserve(61000...65535)
            #expect(try Self.reserved() == after)
            #expect(try reservation.release() != nil)
            #expect(try Self.reserved() == before)
            #expect(try reservation.release() == nil)
        }
    }

    @Test("that somebody has reserved are not written, and stay when we go")
    func covered() throws {
        try Self.run("60000-65535") { reservation in
            try reservation.reserve(61000...65535)
            #expect(try reservation.release() == nil)
            #expect(try Self.reserved() == "60000-65535")
        }
    }

    @Test("of an earlier range go when the range changes")
    func changed() throws {
        try Self.run("50005") { reservation in
            try reservation.reserve(50000...50010)
            #expect(try Self.reserved() == "50000-50010")
            try reservation.reserve(50008...50020)
            #expect(try Self.reserved() == "50005,50008-50020")
            _ = try reservation.release()
            #expect(try Self.reserved() == "50005")
        }
    }

    @Test("that others reserve meanwhile stay when we go")
    func others() throws {
        try Self.run("") { reservation in
            try reservation.reserve(61000...61001)
            try ControlFile.write("7000,61000-61001\n", to: Self.setting)
            _ = try reservation.release()
            #expect(try Self.reserved() == "7000")
        }
    }

    @Test("a setting that cannot be written, or is not understood, is an error that names it")
    func refused() throws {
        let folder = "/tmp/\(uniqueName("ports"))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // Settings that nobody may write: a number, and one that is no range.
        for setting in ["/proc/sys/kernel/cap_last_cap", "/proc/sys/kernel/version"] {
            let reservation = PortReservation(record: "\(folder)/record", setting: setting)
            let error = #expect(throws: SystemError.self) { try reservation.reserve(61000...65535) }
            #expect(error?.path == setting)
        }
    }

    @Test("sockets of the node are given none of them")
    func sockets() throws {
        try Self.run("") { reservation in
            try ControlFile.write("61000 61003\n", to: "/proc/sys/net/ipv4/ip_local_port_range")
            try reservation.reserve(61000...61002)
            for family in AddressFamily.allCases {
                let socket = try InternetSocket(.udp, family)
                let loopback = try #require(IPAddress(family == .ipv4 ? "127.0.0.1" : "::1"))
                try socket.bind(to: AddressAndPort(address: loopback, port: 0))
                #expect(try socket.localAddress().port == 61003)
            }
        }
    }
}
