// A process that the world started, from start to exit status. Each has a thread here that starts it, waits for its
// end and reaps it: a child that dies with its parent is tied to the very thread that started it, so that thread must
// live as long as the child, which threads of the concurrency pool do not.

import Dispatch
import Glibc
package import HostCalls
import Synchronization

/// A running or ended child.
package final class ChildProcess: Sendable {
    package let name: String
    package let pid: Int32
    /// The files that its standard output and error go to, where they do.
    package let outputPath: String?
    package let errorPath: String

    private let end: End

    /// The exit status, once there is one.
    private final class End: Sendable {
        let status = Mutex<ExitStatus?>(nil)
        let arrived = DispatchGroup()
    }

    /// The outcome of starting, handed from the child's thread to the caller.
    private final class Start: Sendable {
        let result = Mutex<Result<Int32, CallFailure>?>(nil)
        let settled = DispatchSemaphore(value: 0)
    }

    private init(name: String, pid: Int32, outputPath: String?, errorPath: String, end: End) {
        self.name = name
        self.pid = pid
        self.outputPath = outputPath
        self.errorPath = errorPath
        self.end = end
    }

    /// Starts a program with its output in `outputPath`, or as told in `conversation` for both input and output.
    static func start(
        _ program: Program, conversation: Descriptor? = nil, outputPath: String?, errorPath: String
    ) throws(WorldError) -> ChildProcess {
        let streams = try onHost { () throws(CallFailure) in
            let appending = O_WRONLY | O_CREAT | O_APPEND
            let errors = try Descriptor.open(errorPath, appending)
            if let conversation {
                return ChildStreams(input: conversation, output: conversation, error: errors)
            }
            let nothing = try Descriptor.open("/dev/null", O_RDWR)
            let output = try outputPath.map { path throws(CallFailure) in try Descriptor.open(path, appending) }
            return ChildStreams(input: nothing, output: output ?? nothing, error: errors)
        }
        let start = Start()
        let end = End()
        end.arrived.enter()
        try onHost { () throws(CallFailure) in
            try startThread { live(program, streams, start, end) }
        }
        start.settled.wait()
        switch start.result.withLock({ $0 }) {
        case .success(let pid):
            return ChildProcess(name: program.name, pid: pid, outputPath: outputPath, errorPath: errorPath, end: end)
        case .failure(let failure):
            throw .host(failure)
        case nil:
            throw .host(CallFailure("posix_spawn", program.executable, errno: ECANCELED))
        }
    }

    /// The whole of the child's thread.
    private static func live(_ program: Program, _ streams: ChildStreams, _ start: Start, _ end: End) {
        defer { end.arrived.leave() }
        do {
            let pid = try startProcess(
                program.executable, arguments: [program.executable] + program.arguments,
                environment: program.environment, streams: streams)
            start.result.withLock { $0 = .success(pid) }
            start.settled.signal()
            try? awaitEnd(of: pid)
            end.status.withLock { status in status = (try? reap(pid)) ?? .exited(-1) }
        } catch {
            start.result.withLock { $0 = .failure(error) }
            start.settled.signal()
        }
    }

    /// Nil while it runs.
    package var exitStatus: ExitStatus? {
        end.status.withLock { $0 }
    }

    /// Sends a signal; a child that has ended gets none.
    package func send(signal number: Int32) throws(WorldError) {
        // The child is reaped under the same lock, so its id cannot have passed to another process here.
        let failure: CallFailure? = end.status.withLock { status in
            guard status == nil else { return nil }
            do throws(CallFailure) {
                try HostCalls.signal(pid, number)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw .host(failure) }
    }

    /// Asks it to end (SIGTERM).
    package func terminate() throws(WorldError) {
        try send(signal: SIGTERM)
    }

    /// Ends it at once (SIGKILL) and waits for that.
    package func kill() throws(WorldError) {
        try send(signal: SIGKILL)
        _ = wait()
    }

    /// Blocks until it has ended; nil when the time is over first.
    package func wait(within limit: Duration = .seconds(10)) -> ExitStatus? {
        _ = end.arrived.wait(timeout: .now() + .milliseconds(Int(limit.wholeMilliseconds)))
        return exitStatus
    }

    /// What it has written to its standard output so far.
    package var output: String {
        outputPath.flatMap { try? readText($0) } ?? ""
    }

    /// What it has written to its standard error so far.
    package var errorOutput: String {
        (try? readText(errorPath)) ?? ""
    }
}

/// What to start: a name for logs, an executable by path, its arguments (without the program's own name).
struct Program: Sendable {
    let name: String
    let executable: String
    let arguments: [String]
    let environment: [String: String]
}
