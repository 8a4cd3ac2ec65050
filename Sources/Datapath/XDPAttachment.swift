// XDP on one device: there is room for one program, and drivers refuse it for reasons of their own. Whatever the reason,
// TC serves the device as well, so a refusal is something to report and nothing to fail for.

import BPF
import Glibc

struct XDPAttachment {
    let device: DeviceAttachment
    let choice: XDPChoice
    let pin: String

    /// Why there is no XDP on a device: a sentence.
    struct Refusal: Error {
        let reason: String
    }

    /// Attaches the program, or exchanges the one that is there without a gap.
    ///
    /// - Returns: `native` or `generic`; a refusal when the device, its driver or another program does not allow it.
    func follow(_ program: borrowing BPFProgram) throws(BPFError) -> Result<AttachmentReport.Way, Refusal> {
        do {
            if let way = try adopt(program) { return .success(way) }
        } catch {
            if error.isGone { return .failure(refusal(error)) }
            // The driver took the last build's program and refuses this one, which must not leave the last one running.
            try PinnedLink.remove(pin)
        }
        do {
            return .success(try attach(program, .native))
        } catch {
            guard choice == .generic, !error.isOccupied, !error.isGone else { return .failure(refusal(error)) }
        }
        do {
            return .success(try attach(program, .generic))
        } catch {
            return .failure(refusal(error))
        }
    }

    /// Takes over what is pinned. A program behind the driver goes when that is no longer asked for.
    private func adopt(_ program: borrowing BPFProgram) throws(BPFError) -> AttachmentReport.Way? {
        guard try PinnedLink.adopt(pin, for: .xdp(interface: device.index), program) else { return nil }
        let isNative = try XDPState.query(interface: device.index).generic == nil
        if isNative { return .native }
        if choice == .generic { return .generic }
        try PinnedLink.remove(pin)
        return nil
    }

    private func attach(_ program: borrowing BPFProgram, _ mode: XDPMode) throws(BPFError) -> AttachmentReport.Way {
        let link = try BPFLink.attach(xdp: program, interface: device.index, mode: mode)
        try link.pin(at: pin)
        return mode == .native ? .native : .generic
    }

    private func refusal(_ error: BPFError) -> Refusal {
        if error.isGone { return Refusal(reason: "the device is gone") }
        if error.isOccupied { return Refusal(reason: "\(occupant) is attached there") }
        if error.isUnsupported { return Refusal(reason: "its driver takes no XDP programs; TC serves it") }
        // Programs without multi-buffer support want each packet in one page: ERANGE from veth, E2BIG, EINVAL and
        // EOPNOTSUPP from hardware.
        let size = device.mtu > 1500 ? "; its MTU of \(device.mtu) may be too large for the driver" : ""
        return Refusal(reason: "its driver refuses (\(error))\(size); TC serves it")
    }

    private var occupant: String {
        let ids = (try? XDPState.query(interface: device.index).programIDs) ?? []
        guard let id = ids.first else { return "another XDP program, on a device above," }
        let name = (try? BPFProgram.open(id: id).info().name) ?? ""
        return "another XDP program (\(name.isEmpty ? "" : "\(name), ")number \(id))"
    }
}

extension BPFError {
    /// Another program is there (EBUSY), in another mode or on a device above (EEXIST).
    fileprivate var isOccupied: Bool { errno == EBUSY || errno == EEXIST }
}
