// The embedded test objects, opened or loaded; and the records that they share with Swift.

import BPF
import CTestObjects
import Testing

/// `struct test_record` of maps.bpf.c.
struct Record: Equatable {
    var first: UInt32 = 0
    var second: UInt32 = 0
    var third: UInt32 = 0
}

enum TestObject {
    case maps, hooks, refused

    /// The object before loading.
    func open() throws(BPFError) -> BPFObject {
        switch self {
        case .maps: try unsafe open(test_object_maps(), "maps")
        case .hooks: try unsafe open(test_object_hooks(), "hooks")
        case .refused: try unsafe open(test_object_refused(), "refused")
        }
    }

    /// The object in the kernel.
    func load() throws(BPFError) -> BPFObject {
        var object = try open()
        try object.load()
        return object
    }

    private func open(_ embedded: test_object, _ name: String) throws(BPFError) -> BPFObject {
        try unsafe BPFObject(name: name, image: UnsafeRawBufferPointer(start: embedded.bytes, count: embedded.count))
    }
}

/// A packet for test runs: zeros, with a different byte at each place of the MAC addresses.
let packet = (0..<60).map { UInt8($0 < 12 ? $0 + 1 : 0) }

/// The error that an operation ends with.
func failure(_ body: () throws(BPFError) -> Void) -> BPFError? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}
