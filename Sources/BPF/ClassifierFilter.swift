// A classifier attached in the old way, as a filter of the clsact queueing discipline: for kernels before TCX. A filter is
// no kernel object of its own: nothing owns it, it cannot be pinned, and it stays until it is removed or its interface
// goes. It is found again by the handle and the priority that it was given.

import CLibBPF
import Glibc

/// One place for a filter on one network interface of the calling thread's network namespace.
public struct ClassifierFilter: Hashable, Sendable {
    public let interface: UInt32
    public let direction: Direction
    /// What tells this filter from others of the same priority.
    public let handle: UInt32
    /// Filters with smaller numbers see a packet earlier. Not zero.
    public let priority: UInt16

    /// Which way the packets go that a filter sees.
    public enum Direction: String, Sendable {
        case ingress, egress
    }

    public init(interface: UInt32, direction: Direction, handle: UInt32, priority: UInt16) {
        self.interface = interface
        self.direction = direction
        self.handle = handle
        self.priority = priority
    }

    /// Attaches a program, in place of the one that is attached here. The program's result is taken as the verdict
    /// ("direct action"); -1 hands the packet to the filters behind. Makes the queueing discipline if there is none;
    /// it is never removed again, since others may have filters in it, and costs nothing when empty.
    ///
    /// - Throws: ENODEV or EINVAL when there is no such interface; what the kernel says when something else is in the place.
    public func attach(_ program: borrowing BPFProgram) throws(BPFError) {
        let label = "\(program.label) at clsact \(direction) of interface \(interface)"
        try Self.call("make the clsact of", "interface \(interface)", allowing: EEXIST) {
            var hook = place
            return unsafe bpf_tc_hook_create(&hook)
        }
        try program.withDescriptor { (number: Int32) throws(BPFError) in
            try Self.call("attach program", label) {
                var hook = place, options = name
                options.prog_fd = number
                options.flags = BPF_TC_F_REPLACE.rawValue
                return unsafe bpf_tc_attach(&hook, &options)
            }
        }
    }

    /// The number of the program that is attached here; nil if there is none, also when the interface is gone.
    public func programID() throws(BPFError) -> UInt32? {
        var options = name
        let code = LibbpfMessages.catching {
            var hook = place
            return unsafe bpf_tc_query(&hook, &options)
        }.result
        // Without a clsact or an interface the kernel says EINVAL or ENODEV, and libbpf ENOENT when nothing answers.
        if [-ENOENT, -ENODEV, -EINVAL].contains(code) { return nil }
        try check(code, "look for the filter at clsact \(direction) of", "interface \(interface)")
        return options.prog_id
    }

    /// Removes what is attached here; nothing there is fine.
    ///
    /// - Returns: false if there was nothing.
    @discardableResult
    public func detach() throws(BPFError) -> Bool {
        guard try programID() != nil else { return false }
        try Self.call("remove the filter at clsact \(direction) of", "interface \(interface)", allowing: ENOENT) {
            var hook = place, options = name
            return unsafe bpf_tc_detach(&hook, &options)
        }
        return true
    }

    private var place: bpf_tc_hook {
        var hook = bpf_tc_hook()
        hook.sz = optionsSize(upTo: \bpf_tc_hook.parent)
        hook.ifindex = Int32(bitPattern: interface)
        hook.attach_point = direction == .ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS
        return hook
    }

    private var name: bpf_tc_opts {
        var options = bpf_tc_opts()
        options.sz = optionsSize(upTo: \bpf_tc_opts.priority)
        options.handle = handle
        options.priority = UInt32(priority)
        return options
    }

    /// libbpf prints the kernel's explanation, which belongs into the error.
    private static func call(
        _ operation: String, _ object: String, allowing allowed: Int32? = nil, _ body: () -> Int32
    ) throws(BPFError) {
        let (code, messages) = LibbpfMessages.catching(body)
        guard code < 0, code != allowed.map({ -$0 }) else { return }
        throw BPFError(operation: operation, object: object, errno: -code, detail: messages)
    }
}

/// The size of one of libbpf's option structs without the padding at its end, which libbpf wants to be zero, and which
/// Swift does not promise to copy.
func optionsSize<Options, Field>(upTo last: KeyPath<Options, Field>) -> Int {
    (MemoryLayout<Options>.offset(of: last) ?? 0) + MemoryLayout<Field>.size
}
