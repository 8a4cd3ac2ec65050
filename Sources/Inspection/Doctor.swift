// `martlet doctor`: what this kernel and node can do for Martlet, found by doing it: programs are loaded, maps are
// made, sockets connected. Everything is tried on things of its own and is gone afterwards.

import BPF
package import Datapath
import SystemCalls

package struct Doctor: Sendable {
    /// Whose installation is not a conflict.
    package var folder: PinFolder
    /// The cgroup that an agent would serve; nil for the root of cgroup2.
    package var cgroup: String?

    package init(folder: PinFolder, cgroup: String? = nil) {
        self.folder = folder
        self.cgroup = cgroup
    }

    /// Takes a few seconds, for the verifier's work.
    package func examine() -> Diagnosis {
        Diagnosis(
            kernel: Self.kernelRelease(),
            findings: NodeChecks(cgroup: cgroup).findings() + SocketChecks().findings() + MapChecks().findings()
                + ProgramChecks().findings() + TranslationChecks().findings()
                + PacketChecks().findings() + ConflictChecks(folder: folder, cgroup: cgroup).findings())
    }

    private static func kernelRelease() -> String {
        let text = try? WholeFile.text(of: "/proc/sys/kernel/osrelease")
        return text?.split(separator: "\n").first.map(String.init) ?? "unknown"
    }
}

extension Finding {
    /// Tries something: `ok` with what came of it, or `failure` with the error.
    static func trying(
        _ area: Area, _ subject: String, essential: Bool = false, otherwise failure: Result = .missing, loss: String,
        _ body: () throws -> String
    ) -> Finding {
        do {
            return Finding(area, subject, .ok, essential: essential, try body())
        } catch {
            return Finding(area, subject, failure, essential: essential, shortened("\(error)"), loss: loss)
        }
    }

    /// The verifier's log can be very long; what matters is said first.
    static func shortened(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " | ")
        return line.count > 400 ? line.prefix(400) + "…" : line
    }
}

/// Something that worked, and came to another result than it should have.
struct WrongResult: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
