// A tun device: a network device without a link header whose other end is this process. It lives as long as the object,
// in the network namespace of the thread that made it.

import Glibc

package final class TunDevice: Sendable {
    private let descriptor: Int32

    private let leavesChecksums: Bool

    /// Of struct ifreq: sixteen bytes of name, then the flags, forty bytes in all.
    ///
    /// - Parameter leavesChecksums: whether TCP and UDP checksums of what is written are for the kernel to finish, as
    ///   they are in packets that never were on a wire. Such a device is not read from.
    package init(_ name: String, leavesChecksums: Bool = false) throws {
        self.leavesChecksums = leavesChecksums
        let descriptor = unsafe open("/dev/net/tun", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw SupportError.last("open /dev/net/tun") }
        var request = [UInt8](repeating: 0, count: 40)
        request.replaceSubrange(0..<name.utf8.count, with: Array(name.utf8))
        let flags = Self.tunWithoutHeader | (leavesChecksums ? Self.checksumHeader : 0)
        request.replaceSubrange(16..<18, with: [UInt8(flags & 255), UInt8(flags >> 8)])
        guard unsafe ioctl(descriptor, Self.setInterface, &request) == 0 else {
            let error = SupportError.last("make the device \(name)")
            _ = close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit { _ = close(descriptor) }

    /// IFF_TUN | IFF_NO_PI, IFF_VNET_HDR, and TUNSETIFF: macros that Swift does not see.
    private static let tunWithoutHeader: UInt16 = 0x1001
    private static let checksumHeader: UInt16 = 0x4000
    private static let setInterface: UInt = 0x4004_54ca

    /// Has an IP packet come in by the device.
    package func write(_ packet: [UInt8]) throws {
        let packet = leavesChecksums ? Self.header(of: packet) + packet : packet
        let count = unsafe Glibc.write(descriptor, packet, packet.count)
        guard count == packet.count else { throw SupportError.last("write a packet of \(packet.count) bytes") }
    }

    /// struct virtio_net_hdr: where the checksum begins to count and where it is, if the packet has one.
    private static func header(of packet: [UInt8]) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 10)
        let isV4 = packet[0] >> 4 == 4
        let places: [UInt8: UInt8] = [UInt8(IPPROTO_TCP): 16, UInt8(IPPROTO_UDP): 6]
        guard let place = places[packet[isV4 ? 9 : 6]] else { return header }
        header[0] = 1  // VIRTIO_NET_HDR_F_NEEDS_CSUM
        header[6] = isV4 ? (packet[0] & 15) * 4 : 40
        header[8] = place
        return header
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
