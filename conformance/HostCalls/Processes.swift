// Starting, signalling and reaping processes without a shell, and what a process does to itself before it becomes
// another: enter a namespace, join a cgroup, die with its parent.

internal import CHostCalls
internal import Glibc

/// Where a child's standard streams go.
package struct ChildStreams {
    package var input: Descriptor
    package var output: Descriptor
    package var error: Descriptor

    package init(input: Descriptor, output: Descriptor, error: Descriptor) {
        self.input = input
        self.output = output
        self.error = error
    }
}

/// How a process ended.
package enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)

    init(waitStatus: Int32) {
        let signal = waitStatus & 0x7f
        self = signal == 0 ? .exited((waitStatus >> 8) & 0xff) : .signalled(signal)
    }

    package var description: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .signalled(let signal): "signal \(signal)"
        }
    }
}

/// Starts a program with exactly these arguments (the first is its name), environment and streams, in a process
/// group of its own, with default signal handling. Returns its process id.
package func startProcess(
    _ executable: String, arguments: [String], environment: [String: String], streams: ChildStreams
) throws(CallFailure) -> Int32 {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, streams.input.number, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, streams.output.number, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, streams.error.number, 2)

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var everySignal = sigset_t()
    unsafe sigfillset(&everySignal)
    var noSignal = sigset_t()
    unsafe sigemptyset(&noSignal)
    unsafe posix_spawnattr_setsigdefault(&attributes, &everySignal)
    unsafe posix_spawnattr_setsigmask(&attributes, &noSignal)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

    var pid: pid_t = 0
    let variables = environment.map { "\($0.key)=\($0.value)" }.sorted()
    let result = unsafe withCStrings(arguments) { argv in
        unsafe withCStrings(variables) { envp in
            unsafe posix_spawn(&pid, executable, &actions, &attributes, argv, envp)
        }
    }
    if result != 0 { throw CallFailure("posix_spawn", executable, errno: result) }
    return pid
}

/// Becomes another program; returns only by failing.
package func replaceProcess(_ executable: String, arguments: [String]) throws(CallFailure) {
    unsafe withCStrings(arguments) { argv in
        _ = unsafe execv(executable, argv)
    }
    throw CallFailure("execv", executable, errno: errno)
}

/// Blocks until the child has ended, but leaves its process id taken, so that a signal cannot meet a stranger.
package func awaitEnd(of pid: Int32) throws(CallFailure) {
    while true {
        var information = unsafe siginfo_t()
        let result = unsafe waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT)
        if result < 0 && errno == EINTR { continue }
        try checked(result, "waitid", "\(pid)")
        return
    }
}

/// Blocks until the child has ended, and frees its process id.
package func reap(_ pid: Int32) throws(CallFailure) -> ExitStatus {
    var status: Int32 = 0
    while true {
        let result = unsafe waitpid(pid, &status, 0)
        if result < 0 && errno == EINTR { continue }
        try checked(result, "waitpid", "\(pid)")
        return ExitStatus(waitStatus: status)
    }
}

/// Sends a signal to one process; one that is gone already is no error.
package func signal(_ pid: Int32, _ number: Int32) throws(CallFailure) {
    if kill(pid, number) == 0 || errno == ESRCH { return }
    throw CallFailure("kill", "\(pid)", errno: errno)
}

/// When a living process started, in clock ticks since boot: with its id, a name that is never used twice.
package func startTime(ofProcess pid: Int32) -> UInt64? {
    guard let text = try? readText("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 19 ? UInt64(fields[19]) : nil  // field 22 of proc(5); the text after ")" begins with field 3
}

package func ownProcessIdentifier() -> Int32 {
    getpid()
}

package func isRoot() -> Bool {
    geteuid() == 0
}

/// Moves the calling thread, and every thread and program it starts later, into a network namespace.
package func enterNetwork(_ path: String) throws(CallFailure) {
    let namespace = try Descriptor.open(path, O_RDONLY)
    try checked(host_enter_network(namespace.number), "setns", path)
}

/// Asks the kernel to kill this process when the thread that started it ends. It survives execv.
package func dieWithParent() throws(CallFailure) {
    try checked(host_die_with_parent(SIGKILL), "prctl", "PR_SET_PDEATHSIG")
}

/// Allows this process so many open descriptors (root may exceed its hard limit).
package func raiseFileLimit(to limit: UInt64) throws(CallFailure) {
    try checked(host_raise_file_limit(limit), "setrlimit", "RLIMIT_NOFILE")
}

/// Turns the checksum offload of an interface in this network namespace on or off. XDP programs behind a veth see
/// unfinished checksums while it is on.
package func setTransmitChecksumOffload(_ interface: String, on: Bool) throws(CallFailure) {
    try checked(unsafe host_set_transmit_checksum(interface, on ? 1 : 0), "ioctl", "SIOCETHTOOL \(interface)")
}

/// Runs `body` with a null-terminated array of C strings.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = unsafe strings.map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe pointers.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress!) }
}
