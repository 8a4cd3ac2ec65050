// The tool `nft` inside the calling thread's network namespace: how tests have rules that are somebody else's.

import Foundation

/// Adds the rules of a text to those of the calling thread's network namespace.
package func nft(_ rules: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/sbin/nft")
    process.arguments = ["-f", "-"]
    let input = Pipe()
    process.standardInput = input
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(rules.utf8))
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw SupportError("nft ended with \(process.terminationStatus) for: \(rules)")
    }
}
