// What one kernel says of the programs.

import BPF
import Datapath
import HostCalls

struct Examination: Codable {
    /// One program with one set of constants.
    struct Row: Codable {
        let object: String
        let program: String
        let configuration: String
        let outcome: Outcome
    }

    enum Outcome: Codable {
        /// Instructions are those that the verifier went through, sizes are in bytes.
        case loaded(instructions: UInt32, translatedBytes: UInt32, machineCodeBytes: UInt32)
        /// The end of what the kernel, its verifier above all, said.
        case refused(String)
    }

    /// The verifier gives up at a million (BPF_COMPLEXITY_LIMIT_INSNS). Other kernels take other paths, and a program that
    /// comes near the limit on one is over it on the next.
    static let most: UInt32 = 800_000

    let kernel: String
    let rows: [Row]

    static func here() throws -> Examination {
        let release = try readText("/proc/sys/kernel/osrelease")
        return Examination(
            kernel: String(release.prefix { !$0.isWhitespace }),
            rows: try ProgramTrial.all.flatMap { trial in
                try trial.programNames().map { program in
                    Row(
                        object: trial.object.rawValue, program: program, configuration: trial.configuration,
                        outcome: outcome(of: program, in: trial))
                }
            })
    }

    private static func outcome(of program: String, in trial: ProgramTrial) -> Outcome {
        do {
            let info = try trial.load(program: program)
            return .loaded(
                instructions: info.verifiedInstructions, translatedBytes: info.translatedBytes,
                machineCodeBytes: info.machineCodeBytes)
        } catch {
            return .refused("\(error)")
        }
    }

    /// What must not be: a sentence each.
    var complaints: [String] {
        rows.compactMap { row in
            let name = "Linux \(kernel), \(row.program) (\(row.configuration))"
            switch row.outcome {
            case .loaded(let instructions, _, _):
                guard instructions > Self.most else { return nil }
                return "\(name): the verifier goes through \(instructions) instructions, more than \(Self.most)"
            case .refused(let message):
                return "\(name): \(message)"
            }
        }
    }
}
