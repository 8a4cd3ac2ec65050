// Whether a kind of program may call a function of the kernel: load a program that does nothing else, and read why the
// verifier refuses it. It refuses most such programs, for their arguments; what counts is whether it knew the function.

import CLibBPF
import Glibc

/// One probe.
struct HelperProbe {
    let helper: HelperFunction
    let type: ProgramType
    let attachType: AttachType?

    /// What the verifier has been saying of a function that it does not know or does not allow: of numbers beyond its
    /// table, of disallowed functions up to Linux 6.7, and of those since.
    private static let refusals = ["invalid func ", "unknown func ", "program of this type cannot use helper "]

    /// A hook for kinds of programs that cannot be loaded without one.
    static func usualHook(of type: ProgramType) -> AttachType? {
        switch type {
        case .cgroupSocketAddress: .connect4
        case .socketLookup: .socketLookup
        default: nil
        }
    }

    func run() -> FeatureSupport {
        let instructions = [
            Self.instruction(code: UInt8(BPF_JMP | BPF_CALL), immediate: Int32(bitPattern: helper.rawValue)),
            Self.instruction(code: UInt8(BPF_ALU64 | BPF_MOV | BPF_K), immediate: 0),
            Self.instruction(code: UInt8(BPF_JMP | BPF_EXIT), immediate: 0),
        ]
        var log = [CChar](repeating: 0, count: 4096)
        let code = unsafe log.withUnsafeMutableBufferPointer { log in
            var options = unsafe bpf_prog_load_opts()
            unsafe options.sz = MemoryLayout<bpf_prog_load_opts>.size
            unsafe options.log_buf = log.baseAddress
            unsafe options.log_size = UInt32(log.count)
            unsafe options.log_level = 1
            unsafe options.expected_attach_type = bpf_attach_type(attachType?.rawValue ?? 0)
            return unsafe bpf_prog_load(
                bpf_prog_type(type.rawValue), "probe", "GPL", instructions, instructions.count, &options)
        }
        if code >= 0 {
            _ = close(code)
            return .supported
        }
        return judge(code, String(decoding: log.lazy.map { UInt8(bitPattern: $0) }.prefix { $0 != 0 }, as: UTF8.self))
    }

    /// A verifier that had something to say about anything but the function allows the function. Silence means that the
    /// program did not get as far as the verifier.
    private func judge(_ code: Int32, _ log: String) -> FeatureSupport {
        if Self.refusals.contains(where: { log.firstRange(of: $0) != nil }) { return .unsupported }
        if !log.isEmpty { return .supported }
        let object = "\(helper.rawValue) in program type \(type)"
        return .unknown(BPFError(operation: "probe helper", object: object, errno: -code))
    }

    private static func instruction(code: UInt8, immediate: Int32) -> bpf_insn {
        var instruction = bpf_insn()
        instruction.code = code
        instruction.imm = immediate
        return instruction
    }
}
