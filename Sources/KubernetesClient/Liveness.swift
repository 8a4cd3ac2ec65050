// Lets the kernel notice that the other end of a connection is gone: a watch that is silent sends nothing by itself, and
// HTTP/2 would put every new request on the dead connection for as long as TCP repeats what nobody confirms.

import Glibc
import NIOCore

enum Liveness {
    /// Seconds without traffic before the other end is asked for a sign of life, and between two questions.
    private static let idle: CInt = 30
    private static let interval: CInt = 10
    /// Milliseconds for which what was sent may stay unconfirmed.
    private static let patience: CInt = 30_000

    static func watch(_ channel: any Channel) -> EventLoopFuture<Void> {
        let tcp = NIOBSDSocket.OptionLevel(rawValue: CInt(IPPROTO_TCP))
        let options: [(NIOBSDSocket.OptionLevel, CInt, CInt)] = [
            (NIOBSDSocket.OptionLevel(rawValue: SOL_SOCKET), SO_KEEPALIVE, 1), (tcp, TCP_KEEPIDLE, idle),
            (tcp, TCP_KEEPINTVL, interval), (tcp, TCP_USER_TIMEOUT, patience),
        ]
        let futures = options.map { level, name, value in
            channel.setOption(
                ChannelOptions.Types.SocketOption(level: level, name: NIOBSDSocket.Option(rawValue: name)),
                value: ChannelOptions.Types.SocketOption.Value(value))
        }
        return EventLoopFuture.andAllSucceed(futures, on: channel.eventLoop)
    }
}
