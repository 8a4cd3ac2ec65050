// A link under a name: taken over with another program, or ended.

import BPF

enum PinnedLink {
    /// Makes the link that is pinned at a path run a program, if it is attached to what it should be. One that is not is
    /// ended: its device is gone, or the name has come to mean another device.
    ///
    /// - Returns: whether the program is attached now.
    static func adopt(
        _ pin: String, for target: LinkInfo.Target, _ program: borrowing BPFProgram
    ) throws(BPFError) -> Bool {
        guard let link = try open(pin) else { return false }
        let info = try link.info()
        guard info.target == target else {
            try remove(pin)
            return false
        }
        if try info.programID != program.info().id { try link.update(program: program) }
        return true
    }

    /// Ends the attachment even if somebody else holds the link, and removes the pin. Nothing there is fine, and so is a
    /// link whose device is gone.
    static func remove(_ pin: String) throws(BPFError) {
        guard let link = try open(pin) else { return }
        try link.detach()
        try BPFFileSystem.unpin(pin)
    }

    /// Nil when there is no pin.
    static func open(_ pin: String) throws(BPFError) -> BPFLink? {
        do {
            return try BPFLink.open(pinned: pin)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }
}
