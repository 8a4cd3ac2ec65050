// The hooks that Martlet attaches to a cgroup, in the order in which they are attached: what undoes comes before what
// does, so that no socket is translated whose replies could not be translated back.

package import BPF

package enum SocketHook: String, CaseIterable, Sendable {
    case socketRelease = "sock_release"
    case recvmsg4
    case recvmsg6
    case getpeername4
    case getpeername6
    case bind4
    case bind6
    case sendmsg4
    case sendmsg6
    case connect4
    case connect6

    /// Name of the program in the object.
    var programName: String { "martlet_\(rawValue)" }

    package var attachType: AttachType {
        switch self {
        case .socketRelease: .socketRelease
        case .recvmsg4: .recvmsg4
        case .recvmsg6: .recvmsg6
        case .getpeername4: .getpeername4
        case .getpeername6: .getpeername6
        case .bind4: .bind4
        case .bind6: .bind6
        case .sendmsg4: .sendmsg4
        case .sendmsg6: .sendmsg6
        case .connect4: .connect4
        case .connect6: .connect6
        }
    }
}
