// Reverse state of connected sockets as the hooks keep it (bpf/lib/connection.bpf.h): an array with a place for each
// socket, by cookie, and a hash for those whose place is taken. Read only: the programs own it.

package import BPF
package import CDatapathABI

package struct ConnectionTable: ~Copyable, Sendable {
    package let places: MapDescriptor
    package let overflow: BPFMap<UInt64, dp_connection>

    /// Places that are mapped and read at a time: 1 MiB.
    private static let chunk = 16384

    package init(
        places: consuming MapDescriptor, overflow: consuming BPFMap<UInt64, dp_connection>
    ) throws(BPFError) {
        self.places = places
        self.overflow = overflow
    }

    /// The part of a cookie that is a socket's place, among so many: as many as the greatest power of two that fits.
    package static func mask(places: UInt32) -> UInt32 {
        places < 2 ? 0 : UInt32(1) << (31 - UInt32(places.leadingZeroBitCount)) - 1
    }

    /// Calls `body` with every recorded socket's cookie and state, in no order. A socket that connected more than once
    /// may come up twice, once with a state of the past.
    ///
    /// Cost: the array is mapped into memory, piece by piece, and read once, 5 ms for 524,288 places.
    package func forEach(_ body: (UInt64, dp_connection) throws(BPFError) -> Void) throws(BPFError) {
        let count = Int(try places.info().maxEntries)
        for first in stride(from: 0, to: count, by: Self.chunk) {
            let piece = first..<min(first + Self.chunk, count)
            for connection in try MappedArray<dp_connection>(places, window: piece, access: .readOnly).read(piece) {
                guard connection.socket_cookie != 0, connection.service_id != 0 else { continue }
                try body(connection.socket_cookie, connection)
            }
        }
        try overflow.forEach(body)
    }

    /// How many sockets have state; walks them all.
    package func count() throws(BPFError) -> Int {
        var count = 0
        try forEach { (_, _) throws(BPFError) in count += 1 }
        return count
    }
}
