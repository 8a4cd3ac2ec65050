// The tool `ip` inside the calling thread's network namespace: how tests make interfaces, addresses and routes.

import Foundation

/// Runs `ip` with one command per line, in the calling thread's network namespace.
package func ip(_ commands: String) throws {
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
