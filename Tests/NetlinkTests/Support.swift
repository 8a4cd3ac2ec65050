// Small helpers of the netlink suites: `ip` inside the calling thread's namespace, and addresses from text.

import Foundation
import HostCalls
import KernelTestSupport
import NetworkTypes

/// Runs `ip` with one command per line, in the calling thread's network namespace.
func ip(_ commands: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/ip")
    process.arguments = ["-batch", "-"]
    let input = Pipe()
    process.standardInput = input
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(commands.utf8))
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw SupportError("ip ended with \(process.terminationStatus) for: \(commands)")
    }
}

/// `10.0.0.1:80` or `[::1]:80`, which the test's author wrote correctly.
func endpoint(_ text: String) -> AddressAndPort {
    AddressAndPort(text)!
}

func address(_ text: String) -> IPAddress {
    IPAddress(text)!
}
