// A BPF iterator run from start to end: the kernel walks its objects, the program prints what it wants of them, and all
// that it printed comes back as bytes. What they mean is agreed between the program and the caller.

import CLibBPF
import Glibc

/// An iterator program, linked and ready to be read any number of times.
public struct BPFIterator: ~Copyable, Sendable {
    private let link: Descriptor
    private let label: String

    /// Links an iterator that walks kernel objects (tasks, sockets, routes, …).
    public init(_ program: borrowing BPFProgram) throws(BPFError) {
        let result = program.withDescriptor { bpf_link_create($0, 0, BPF_TRACE_ITER, nil) }
        link = try Descriptor(adopting: result, "link iterator", program.label)
        label = program.label
    }

    /// Links an iterator that walks the elements of one map (`iter/bpf_map_elem`, `iter/bpf_sk_storage_map`).
    public init(_ program: borrowing BPFProgram, over map: borrowing MapDescriptor) throws(BPFError) {
        let name = "\(program.label) over \(map.label)"
        let result = program.withDescriptor { program in
            map.withDescriptor { map in
                var info = bpf_iter_link_info()
                unsafe info.map.map_fd = UInt32(map)
                return unsafe withUnsafeMutablePointer(to: &info) { info in
                    var options = unsafe bpf_link_create_opts()
                    unsafe options.sz = MemoryLayout<bpf_link_create_opts>.size
                    unsafe options.iter_info = info
                    unsafe options.iter_info_len = UInt32(MemoryLayout<bpf_iter_link_info>.size)
                    return unsafe bpf_link_create(program, 0, BPF_TRACE_ITER, &options)
                }
            }
        }
        link = try Descriptor(adopting: result, "link iterator", name)
        label = name
    }

    /// Walks everything once and returns what the program wrote. Blocks for as long as the walk takes.
    ///
    /// The kernel may call the program again for one object when its output did not fit, so programs must only report.
    public func read() throws(BPFError) -> [UInt8] {
        let walk = try Descriptor(adopting: link.withNumber { bpf_iter_create($0) }, "start iterator", label)
        return try readAll(walk, label)
    }
}
