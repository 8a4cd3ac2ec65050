// What this kernel can do, found by trying: libbpf loads a tiny program or creates a tiny map of the kind. Attaching
// anything, and judging what the answers mean for anyone, is left to others.

import CLibBPF
import Glibc

/// The answer of one probe.
public enum FeatureSupport: Sendable, CustomStringConvertible {
    case supported
    case unsupported
    /// The probe itself failed, often for lack of permission; nothing is known.
    case unknown(BPFError)

    public var isSupported: Bool {
        switch self {
        case .supported: true
        case .unsupported, .unknown: false
        }
    }

    public var description: String {
        switch self {
        case .supported: "supported"
        case .unsupported: "unsupported"
        case .unknown(let error): "unknown: \(error)"
        }
    }
}

/// A function that programs call, by its number in `enum bpf_func_id`.
public struct HelperFunction: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let fibLookup = HelperFunction(rawValue: BPF_FUNC_fib_lookup.rawValue)
    public static let socketStorageGet = HelperFunction(rawValue: BPF_FUNC_sk_storage_get.rawValue)
    public static let getSocketCookie = HelperFunction(rawValue: BPF_FUNC_get_socket_cookie.rawValue)
    public static let getNamespaceCookie = HelperFunction(rawValue: BPF_FUNC_get_netns_cookie.rawValue)
    public static let ringBufferReserve = HelperFunction(rawValue: BPF_FUNC_ringbuf_reserve.rawValue)
    public static let setReturnValue = HelperFunction(rawValue: BPF_FUNC_set_retval.rawValue)
    public static let redirectPeer = HelperFunction(rawValue: BPF_FUNC_redirect_peer.rawValue)
    public static let redirectNeighbor = HelperFunction(rawValue: BPF_FUNC_redirect_neigh.rawValue)
    public static let loop = HelperFunction(rawValue: BPF_FUNC_loop.rawValue)
    public static let ktimeGetBootNanoseconds = HelperFunction(rawValue: BPF_FUNC_ktime_get_boot_ns.rawValue)
    public static let ktimeGetCoarseNanoseconds = HelperFunction(rawValue: BPF_FUNC_ktime_get_coarse_ns.rawValue)
    public static let timerStart = HelperFunction(rawValue: BPF_FUNC_timer_start.rawValue)
    public static let currentTaskUnderCGroup = HelperFunction(rawValue: BPF_FUNC_current_task_under_cgroup.rawValue)
    public static let mptcpSocket = HelperFunction(rawValue: BPF_FUNC_skc_to_mptcp_sock.rawValue)
}

/// Probes of the running kernel. Each costs a system call or a few.
public enum KernelFeatures {
    /// Whether maps of this kind can be created.
    public static func probe(map type: MapType) -> FeatureSupport {
        answer("probe map type", "\(type)") { libbpf_probe_bpf_map_type(bpf_map_type(type.rawValue), nil) }
    }

    /// Whether programs of this kind can be loaded.
    public static func probe(program type: ProgramType) -> FeatureSupport {
        answer("probe program type", "\(type)") { libbpf_probe_bpf_prog_type(bpf_prog_type(type.rawValue), nil) }
    }

    /// Whether programs of this kind may call this function.
    ///
    /// Not libbpf's own probe: that of version 1.1 takes the answer of newer kernels ("program of this type cannot
    /// use helper") for a yes.
    ///
    /// - Parameter attachType: for kinds of programs that are loaded for one hook; some hooks allow fewer functions.
    public static func probe(
        helper: HelperFunction, for type: ProgramType, attachType: AttachType? = nil
    ) -> FeatureSupport {
        HelperProbe(helper: helper, type: type, attachType: attachType ?? HelperProbe.usualHook(of: type)).run()
    }

    /// Whether the kernel publishes its own type information, which kernel functions need.
    public static func hasTypeInformation() -> Bool {
        unsafe access("/sys/kernel/btf/vmlinux", R_OK) == 0
    }

    private static func answer(_ operation: String, _ object: String, _ probe: () -> Int32) -> FeatureSupport {
        let (code, messages) = LibbpfMessages.catching(probe)
        switch code {
        case 0: return .unsupported
        case 1...: return .supported
        default:
            return .unknown(BPFError(operation: operation, object: object, errno: -code, detail: messages))
        }
    }
}
