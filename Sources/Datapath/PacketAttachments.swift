// Makes the kernel follow the choice of devices: attaches where something is missing, exchanges programs under what is
// attached without a gap, and removes what is no longer wanted. What is attached is pinned, so it outlives the agent, and
// a start adopts it. One device's failure costs no other device anything.

package import BPF
import Glibc

package struct PacketAttachments: Sendable {
    private let folder: PinFolder
    private let xdp: XDPChoice
    private let tcx: TCXUse

    /// Whether TCX is asked for at all.
    package enum TCXUse: Sendable {
        case whereAvailable
        /// As on kernels before 6.6.
        case never
    }

    /// - Parameter folder: belongs to the caller, who holds its lock.
    package init(folder: PinFolder, xdp: XDPChoice, tcx: TCXUse = .whereAvailable) {
        self.folder = folder
        self.xdp = xdp
        self.tcx = tcx
    }

    /// Martlet's programs see packets before those that are there already. Behind a program that ends the chain, as those
    /// written before TCX do by returning `TC_ACT_OK`, a service's packets would go untranslated and its connections
    /// would break. The price: a program behind Martlet's sees a service's packets translated, as behind kube-proxy's
    /// rules, and those that Martlet redirects not at all. Whoever attaches later may still go before.
    private static let position = TCXPosition.first

    /// Attaches to the devices of the calling thread's network namespace. To be called again whenever the choice is
    /// different, and when something may have been changed from outside; where all is in place, it changes nothing.
    ///
    /// - Throws: only when the pin folder cannot be used. Everything else is in the report.
    package func follow(
        _ selection: DeviceSelection, with programs: borrowing PacketPrograms
    ) throws(BPFError) -> AttachmentReport {
        try BPFFileSystem.ensureDirectory(folder.links)
        var report = AttachmentReport()
        try removeUnwanted(selection, hasXDP: programs.xdp != nil, &report)
        // A new link waits for the kernel's readers under the lock of all devices: 12 ms, so seconds for the first time on
        // a node with hundreds of pods. Devices that lead out come first. What is adopted takes 0.2 ms, with a new program
        // as well (TCX; a filter's exchange waits again).
        let order = selection.attachments.filter(\.isExternal) + selection.attachments.filter { !$0.isExternal }
        for attachment in order {
            let hooks = PacketHook.allCases.filter(attachment.hooks.contains).map {
                follow(DeviceHook($0, device: attachment.index), on: attachment, programs)
            }
            report.devices.append(AttachmentReport.Device(attachment, hooks: hooks))
        }
        report.devices += selection.skipped.map { AttachmentReport.Device($0) }
        report.devices.sort { $0.index < $1.index }
        return report
    }

    /// What is pinned for a hook that nobody wants any more, or for a device that is gone. In the reverse order of
    /// attaching.
    private func removeUnwanted(
        _ selection: DeviceSelection, hasXDP: Bool, _ report: inout AttachmentReport
    ) throws(BPFError) {
        let wanted = Set(selection.attachments.flatMap { one in one.hooks.map { DeviceHook($0, device: one.index) } })
            .filter { $0.hook != .xdp || hasXDP && xdp != .off }
        let order = { (hook: PacketHook) in PacketHook.allCases.firstIndex(of: hook) ?? 0 }
        let pinned = try folder.pinnedDeviceHooks().sorted { order($0.hook) > order($1.hook) }
        for place in pinned where !wanted.contains(place) {
            report.attempt { () throws(BPFError) in try PinnedLink.remove(folder.pin(of: place)) }
        }
        for filter in try folder.deviceFilters() where !wanted.contains(filter.place) {
            report.attempt { () throws(BPFError) in try filter.remove() }
        }
    }

    private func follow(
        _ place: DeviceHook, on device: DeviceAttachment, _ programs: borrowing PacketPrograms
    ) -> AttachmentReport.Hook {
        do {
            let way: AttachmentReport.Way
            switch place.hook {
            case .tcEgress where device.hasLinkHeader:
                way = try followClassifier(place, .tcxEgress, programs.framed.egress)
            case .tcEgress: way = try followClassifier(place, .tcxEgress, programs.bare.egress)
            case .tcIngress where device.hasLinkHeader:
                way = try followClassifier(place, .tcxIngress, programs.framed.ingress)
            case .tcIngress: way = try followClassifier(place, .tcxIngress, programs.bare.ingress)
            case .xdp: return try followXDP(place, device, programs)
            }
            return AttachmentReport.Hook(hook: place.hook, way: way)
        } catch {
            let reason = error.isGone ? "the device is gone" : "\(error)"
            return AttachmentReport.Hook(hook: place.hook, reason: reason)
        }
    }

    /// Both ways at once would be no harm for the moment that it lasts: what is translated is not translated again.
    private func followClassifier(
        _ place: DeviceHook, _ type: AttachType, _ program: borrowing BPFProgram
    ) throws(BPFError) -> AttachmentReport.Way {
        let pin = folder.pin(of: place)
        if tcx == .whereAvailable {
            if try PinnedLink.adopt(pin, for: .tcx(interface: place.device, type), program) { return .tcx }
            do {
                let link = try BPFLink.attach(program, interface: place.device, type, position: Self.position)
                try link.pin(at: pin)
                try DeviceFilter(place, in: folder)?.remove()
                return .tcx
            } catch {
                // A kernel without TCX does not know the place (EINVAL).
                guard error.errno == EINVAL || error.isUnsupported else { throw error }
            }
        }
        try BPFFileSystem.ensureDirectory(folder.filters)
        try DeviceFilter(place, in: folder)?.attach(program)
        try PinnedLink.remove(pin)
        return .clsact
    }

    private func followXDP(
        _ place: DeviceHook, _ device: DeviceAttachment, _ programs: borrowing PacketPrograms
    ) throws(BPFError) -> AttachmentReport.Hook {
        var hook = AttachmentReport.Hook(hook: .xdp)
        switch programs.xdp {
        case .none: hook.reason = "there is no XDP program"
        case .some(let program):
            let attachment = XDPAttachment(device: device, choice: xdp, pin: folder.pin(of: place))
            switch try attachment.follow(program) {
            case .success(let way): hook.way = way
            case .failure(let refusal): hook.reason = refusal.reason
            }
        }
        return hook
    }
}

extension AttachmentReport {
    fileprivate mutating func attempt(_ body: () throws(BPFError) -> Void) {
        do {
            try body()
        } catch {
            leftovers.append("\(error)")
        }
    }
}

extension BPFError {
    /// The network interface went while it was being attached to.
    var isGone: Bool { errno == ENODEV || errno == ENXIO }
}
