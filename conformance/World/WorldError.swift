// Everything that can go wrong in a test world, as one type whose description names the object that failed.

package import HostCalls

/// Why the world could not do what a test asked.
package enum WorldError: Error, CustomStringConvertible {
    /// Namespaces and cgroups need root; a test without it must fail and not be skipped.
    case notRoot
    /// No cgroup2 file system is mounted.
    case noControlGroups
    /// martlet-probe lies in none of these places.
    case noProbe([String])
    /// A name that is taken or has other characters than a-z, 0-9 and "-".
    case badName(String)
    /// An address that is no IPv4 or IPv6 address, with or without a prefix length.
    case badAddress(String)
    /// A system call of this process failed.
    case host(CallFailure)
    /// A program that was run to its end failed.
    case program(String, ExitStatus, output: String)
    /// A call that a probe was asked for was refused by the kernel: what negative tests look for.
    case refused(by: String, CallFailure)
    /// A probe does not answer, or has died.
    case silentProbe(String, reason: String)
    /// What could not be removed at the end.
    case leftovers([String])

    package var description: String {
        switch self {
        case .notRoot:
            "the test world needs root, for network namespaces and cgroups"
        case .noControlGroups:
            "no cgroup2 file system is mounted (looked in /proc/self/mountinfo)"
        case .noProbe(let places):
            "martlet-probe is not built: looked for \(places.joined(separator: ", "))"
        case .badName(let name):
            "the name \"\(name)\" is taken or has other characters than a-z, 0-9 and \"-\""
        case .badAddress(let text):
            "\"\(text)\" is no IP address with or without a prefix length"
        case .host(let failure):
            "\(failure)"
        case .program(let name, let status, let output):
            "\(name) ended with \(status): \(output)"
        case .refused(let probe, let failure):
            "\(probe): \(failure)"
        case .silentProbe(let name, let reason):
            "the probe \(name) does not answer: \(reason)"
        case .leftovers(let objects):
            "the world left behind: \(objects.joined(separator: "; "))"
        }
    }

    /// The refused call, if that is what went wrong.
    package var refusal: CallFailure? {
        guard case .refused(_, let failure) = self else { return nil }
        return failure
    }
}

/// The errno name with which a probe's call was refused, or nil when it succeeded. Other errors pass through.
///
///     #expect(try refusal { try client.connect(.tcp, "172.30.0.10", 80) } == "ECONNREFUSED")
package func refusal<Result>(_ body: () throws -> Result) throws -> String? {
    do {
        _ = try body()
        return nil
    } catch let error as WorldError {
        guard let refused = error.refusal else { throw error }
        return refused.name
    }
}

/// Runs system calls, turning their failures into world errors.
func onHost<Result>(_ body: () throws(CallFailure) -> Result) throws(WorldError) -> Result {
    do {
        return try body()
    } catch {
        throw .host(error)
    }
}
