// A TC hook of one device on a kernel without TCX: a filter of clsact. A filter does not say whose it is and cannot be
// pinned, so its program is, under the filter's name: a filter is this folder's if it runs the program that is pinned
// for it. So clean-up removes what this datapath attached and nothing else, also when another network namespace has a
// device of the same index.

import BPF

struct DeviceFilter {
    let place: DeviceHook
    private let filter: ClassifierFilter
    private let pin: String

    /// "mart". Nobody else's filter has it.
    private static let handle: UInt32 = 0x6d61_7274
    /// Early, for the reason given at `PacketAttachments.position`; not 1, where the kernel would refuse it beside a
    /// classifier of another kind, and other tools put theirs there.
    private static let priority: UInt16 = 5

    /// Nil for XDP, which needs no filter.
    init?(_ place: DeviceHook, in folder: PinFolder) {
        guard let direction = place.hook.direction else { return nil }
        self.place = place
        filter = ClassifierFilter(
            interface: place.device, direction: direction, handle: Self.handle, priority: Self.priority)
        pin = "\(folder.filters)/\(place.name)"
    }

    /// The number of the program that runs here and is this folder's; nil if none does.
    func programID() throws(BPFError) -> UInt32? {
        guard let marked = try markedID(), try filter.programID() == marked else { return nil }
        return marked
    }

    /// Attaches a program, or exchanges the one that is there without a gap.
    func attach(_ program: borrowing BPFProgram) throws(BPFError) {
        if try programID() == program.info().id { return }
        // A filter without a mark would stay after clean-up, a mark without a filter goes with it.
        try AtomicPin.replace(pin, with: program)
        do {
            try filter.attach(program)
        } catch {
            if try filter.programID() == nil { try BPFFileSystem.unpin(pin) }
            throw error
        }
    }

    /// Removes the filter if it is this folder's, and its mark.
    func remove() throws(BPFError) {
        if try programID() != nil { try filter.detach() }
        try BPFFileSystem.unpin(pin)
    }

    private func markedID() throws(BPFError) -> UInt32? {
        do {
            return try BPFProgram.open(pinned: pin).info().id
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }
}
