// A tun device: a network device without a link header whose other end is this process. It lives as long as the object,
// in the network namespace of the thread that made it.

import Glibc

package final class TunDevice: Sendable {
    private let descriptor: Int32

    /// Of struct ifreq: sixteen bytes of name, then the flags, forty bytes in all.
    package init(_ name: String) throws {
        let descriptor = unsafe open("/dev/net/tun", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw SupportError.last("open /dev/net/tun") }
        var request = [UInt8](repeating: 0, count: 40)
        request.replaceSubrange(0..<name.utf8.count, with: Array(name.utf8))
        let flags = Self.tunWithoutHeader
        request.replaceSubrange(16..<18, with: [UInt8(flags & 255), UInt8(flags >> 8)])
        guard unsafe ioctl(descriptor, Self.setInterface, &request) == 0 else {
            let error = SupportError.last("make the device \(name)")
            _ = close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit { _ = close(descriptor) }

    /// IFF_TUN | IFF_NO_PI, and TUNSETIFF: macros that Swift does not see.
    private static let tunWithoutHeader: UInt16 = 0x1001
    private static let setInterface: UInt = 0x4004_54ca

    /// Has an IP packet come in by the device.
    package func write(_ packet: [UInt8]) throws {
        let count = unsafe Glibc.write(descriptor, packet, packet.count)
        guard count == packet.count else { throw SupportError.last("write a packet of \(packet.count) bytes") }
    }

    /// The next IP packet that leaves by the device; nil: none within the time.
    package func read(milliseconds: Int32) throws -> [UInt8]? {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&entry, 1, milliseconds) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
        guard count >= 0 else { throw SupportError.last("read a packet") }
        return Array(buffer[..<count])
    }
}
