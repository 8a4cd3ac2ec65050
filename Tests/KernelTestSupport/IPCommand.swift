// The tool `ip` inside the calling thread's network namespace: how tests make interfaces, addresses and routes.

import Glibc

/// Runs `ip` with one command per line, in the calling thread's network namespace. Not by Foundation's Process, which is not
/// for executors' threads: it may wait for ever.
package func ip(_ commands: String) throws {
    guard let pipe = unsafe popen("/bin/ip -batch -", "w") else { throw SupportError("ip cannot be run") }
    unsafe fputs(commands, pipe)
    let status = unsafe pclose(pipe)
    guard status == 0 else { throw SupportError("ip ended with \(status) for: \(commands)") }
}
