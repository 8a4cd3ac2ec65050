// The kernel's numbers for kinds of maps, programs and attach points, as types. They are open: a number that this file
// has no name for is still a value, because kernels grow new ones faster than headers do.

import CLibBPF

/// A kind of BPF map (`enum bpf_map_type`).
public struct MapType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    private init(_ type: bpf_map_type) { self.rawValue = type.rawValue }

    public static let hash = MapType(BPF_MAP_TYPE_HASH)
    public static let array = MapType(BPF_MAP_TYPE_ARRAY)
    public static let programArray = MapType(BPF_MAP_TYPE_PROG_ARRAY)
    public static let perCPUHash = MapType(BPF_MAP_TYPE_PERCPU_HASH)
    public static let perCPUArray = MapType(BPF_MAP_TYPE_PERCPU_ARRAY)
    public static let cgroupArray = MapType(BPF_MAP_TYPE_CGROUP_ARRAY)
    public static let lruHash = MapType(BPF_MAP_TYPE_LRU_HASH)
    public static let lruPerCPUHash = MapType(BPF_MAP_TYPE_LRU_PERCPU_HASH)
    public static let lpmTrie = MapType(BPF_MAP_TYPE_LPM_TRIE)
    public static let arrayOfMaps = MapType(BPF_MAP_TYPE_ARRAY_OF_MAPS)
    public static let hashOfMaps = MapType(BPF_MAP_TYPE_HASH_OF_MAPS)
    public static let deviceMap = MapType(BPF_MAP_TYPE_DEVMAP)
    public static let deviceHash = MapType(BPF_MAP_TYPE_DEVMAP_HASH)
    public static let socketStorage = MapType(BPF_MAP_TYPE_SK_STORAGE)
    public static let ringBuffer = MapType(BPF_MAP_TYPE_RINGBUF)
    public static let perCPUCGroupStorage = MapType(BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE)

    /// Whether one element holds a value for every possible CPU, so that a look-up returns them all.
    public var isPerCPU: Bool {
        [.perCPUHash, .perCPUArray, .lruPerCPUHash, .perCPUCGroupStorage].contains(self)
    }

    public var description: String {
        unsafe name(libbpf_bpf_map_type_str(bpf_map_type(rawValue)), or: rawValue)
    }
}

/// A kind of BPF program (`enum bpf_prog_type`).
public struct ProgramType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    private init(_ type: bpf_prog_type) { self.rawValue = type.rawValue }

    public static let socketFilter = ProgramType(BPF_PROG_TYPE_SOCKET_FILTER)
    public static let classifier = ProgramType(BPF_PROG_TYPE_SCHED_CLS)
    public static let xdp = ProgramType(BPF_PROG_TYPE_XDP)
    public static let cgroupSKB = ProgramType(BPF_PROG_TYPE_CGROUP_SKB)
    public static let cgroupSocket = ProgramType(BPF_PROG_TYPE_CGROUP_SOCK)
    public static let cgroupSocketAddress = ProgramType(BPF_PROG_TYPE_CGROUP_SOCK_ADDR)
    public static let socketOperations = ProgramType(BPF_PROG_TYPE_SOCK_OPS)
    public static let socketLookup = ProgramType(BPF_PROG_TYPE_SK_LOOKUP)
    public static let tracing = ProgramType(BPF_PROG_TYPE_TRACING)

    public var description: String {
        unsafe name(libbpf_bpf_prog_type_str(bpf_prog_type(rawValue)), or: rawValue)
    }
}

/// A place where programs are attached (`enum bpf_attach_type`).
public struct AttachType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    private init(_ type: bpf_attach_type) { self.rawValue = type.rawValue }

    public static let cgroupIngress = AttachType(BPF_CGROUP_INET_INGRESS)
    public static let cgroupEgress = AttachType(BPF_CGROUP_INET_EGRESS)
    public static let socketCreate = AttachType(BPF_CGROUP_INET_SOCK_CREATE)
    public static let socketRelease = AttachType(BPF_CGROUP_INET_SOCK_RELEASE)
    public static let postBind4 = AttachType(BPF_CGROUP_INET4_POST_BIND)
    public static let postBind6 = AttachType(BPF_CGROUP_INET6_POST_BIND)
    public static let bind4 = AttachType(BPF_CGROUP_INET4_BIND)
    public static let bind6 = AttachType(BPF_CGROUP_INET6_BIND)
    public static let connect4 = AttachType(BPF_CGROUP_INET4_CONNECT)
    public static let connect6 = AttachType(BPF_CGROUP_INET6_CONNECT)
    public static let sendmsg4 = AttachType(BPF_CGROUP_UDP4_SENDMSG)
    public static let sendmsg6 = AttachType(BPF_CGROUP_UDP6_SENDMSG)
    public static let recvmsg4 = AttachType(BPF_CGROUP_UDP4_RECVMSG)
    public static let recvmsg6 = AttachType(BPF_CGROUP_UDP6_RECVMSG)
    public static let getpeername4 = AttachType(BPF_CGROUP_INET4_GETPEERNAME)
    public static let getpeername6 = AttachType(BPF_CGROUP_INET6_GETPEERNAME)
    public static let getsockname4 = AttachType(BPF_CGROUP_INET4_GETSOCKNAME)
    public static let getsockname6 = AttachType(BPF_CGROUP_INET6_GETSOCKNAME)
    public static let socketOperations = AttachType(BPF_CGROUP_SOCK_OPS)
    public static let socketLookup = AttachType(BPF_SK_LOOKUP)
    public static let xdp = AttachType(BPF_XDP)
    /// TCX, Linux 6.6; the build's kernel headers may be older and not name it.
    public static let tcxIngress = AttachType(rawValue: 46)
    /// TCX, Linux 6.6; the build's kernel headers may be older and not name it.
    public static let tcxEgress = AttachType(rawValue: 47)

    public var description: String {
        switch self {
        case .tcxIngress: "tcx_ingress"
        case .tcxEgress: "tcx_egress"
        default: unsafe name(libbpf_bpf_attach_type_str(bpf_attach_type(rawValue)), or: rawValue)
        }
    }
}

/// libbpf's static name for a kind, or the number where this libbpf is older than the kernel.
private func name(_ known: UnsafePointer<CChar>?, or number: UInt32) -> String {
    unsafe known.map { unsafe String(cString: $0) } ?? "kind \(number)"
}
