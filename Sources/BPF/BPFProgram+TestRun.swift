// Running a program once or many times on a packet of ours, without attaching it (`BPF_PROG_TEST_RUN`). The kernel
// offers this for packet programs (XDP, TC, socket lookup, …) and not for cgroup socket hooks.

import CLibBPF
import Glibc

/// What a test run left behind.
public struct TestRunResult: Sendable {
    /// The program's return value, that of the last repetition.
    public let returnValue: UInt32
    /// The packet afterwards.
    public let output: [UInt8]
    /// The context afterwards; empty unless one was given.
    public let context: [UInt8]
    /// The average time of one repetition; the kernel measures it in whole nanoseconds.
    public let averageDuration: Duration

    /// The average time of one repetition in nanoseconds.
    public var averageNanoseconds: Int64 { averageDuration.components.attoseconds / 1_000_000_000 }
}

extension BPFProgram {
    /// Runs the program on a packet.
    ///
    /// With `repeat` the packet is not put back between repetitions: a program that rewrites or encapsulates sees its
    /// own output. The context is the program type's (`xdp_md`, `__sk_buff`), as bytes of exactly that struct.
    ///
    /// - Parameters:
    ///   - packet: from the Ethernet header on; at least 14 bytes.
    ///   - repeat: how often; the duration is the average.
    ///   - outputCapacity: room for the packet afterwards; by default 256 bytes more than before.
    ///   - flags: `BPF_F_TEST_…`.
    /// - Throws: ENOSPC when the output does not fit; `isUnsupported` (ENOTSUPP) for program types without test runs.
    public func testRun(
        packet: [UInt8], repeat count: Int = 1, context: [UInt8] = [], outputCapacity: Int? = nil, flags: UInt32 = 0
    ) throws(BPFError) -> TestRunResult {
        var output = [UInt8](repeating: 0, count: outputCapacity ?? packet.count + 256)
        var contextAfter = [UInt8](repeating: 0, count: context.count)
        var options = unsafe bpf_test_run_opts()
        unsafe options.sz = MemoryLayout<bpf_test_run_opts>.size
        unsafe options.repeat = Int32(clamping: count)
        unsafe options.flags = flags
        let code = unsafe packet.withUnsafeBytes { packet in
            unsafe context.withUnsafeBytes { context in
                unsafe output.withUnsafeMutableBytes { output in
                    unsafe contextAfter.withUnsafeMutableBytes { contextAfter in
                        unsafe options.place(packet, context, output, contextAfter)
                        return unsafe descriptorRun(&options)
                    }
                }
            }
        }
        try check(code, "test-run program", label)
        return unsafe TestRunResult(
            returnValue: options.retval, output: Array(output.prefix(Int(options.data_size_out))),
            context: Array(contextAfter.prefix(Int(options.ctx_size_out))),
            averageDuration: .nanoseconds(Int64(options.duration)))
    }

    private func descriptorRun(_ options: inout bpf_test_run_opts) -> Int32 {
        withDescriptor { unsafe bpf_prog_test_run_opts($0, &options) }
    }
}

extension bpf_test_run_opts {
    /// Empty buffers stay null, since the kernel refuses a size of zero with an address.
    fileprivate mutating func place(
        _ packet: UnsafeRawBufferPointer, _ context: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer,
        _ contextAfter: UnsafeMutableRawBufferPointer
    ) {
        if unsafe !packet.isEmpty {
            unsafe (data_in, data_size_in) = (packet.baseAddress, UInt32(packet.count))
        }
        if unsafe !output.isEmpty {
            unsafe (data_out, data_size_out) = (output.baseAddress, UInt32(output.count))
        }
        if unsafe !context.isEmpty {
            unsafe (ctx_in, ctx_size_in) = (context.baseAddress, UInt32(context.count))
            unsafe (ctx_out, ctx_size_out) = (contextAfter.baseAddress, UInt32(contextAfter.count))
        }
    }
}
