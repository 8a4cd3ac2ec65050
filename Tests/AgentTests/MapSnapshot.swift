// The pinned maps and links as they are at one moment, read past the agent.

import BPF
import Datapath
import DatapathImage
import NetworkTypes
import ServiceModel
import Testing

struct MapSnapshot: Equatable {
    var frontends: [FrontendKey: FrontendRecord] = [:]
    var services: [UInt32: ServiceRecord] = [:]
    /// Without free elements at the end.
    var backends: [BackendRecord] = []

    init(_ folder: PinFolder) throws {
        let maps = try DatapathMaps.open(folder)
        for (key, record) in try maps.frontends.entries() { frontends[key] = record }
        for (id, record) in try maps.services.entries() { services[id] = record }
        let array = try MappedArray<BackendRecord>(maps.backends, access: .readOnly)
        backends = array.read(0..<array.count)
        while backends.last == .free { backends.removeLast() }
    }

    /// The id of a service port of the namespace `shop`.
    func serviceID(_ name: String) -> UInt32? {
        services.first { $0.value.name?.service.name == name }?.key
    }

    func backendID(_ address: String) -> Int? {
        backends.firstIndex { !$0.isFree && "\($0.address)" == address }
    }
}

/// The pinned links: which they are, and which programs they hold.
struct LinkSnapshot: Equatable {
    var links: [String: UInt32] = [:]
    var programs: [String: UInt32] = [:]

    init(_ folder: PinFolder) throws {
        for hook in try InstallationFacts.read(folder).hooks {
            links[hook.hook.rawValue] = hook.linkID
            programs[hook.hook.rawValue] = hook.programID
        }
    }
}

enum FrontendKeys {
    static func of(_ service: TestService) throws -> FrontendKey {
        let place = try #require(AddressAndPort("\(service.address):\(service.port)"))
        return FrontendKey(place, protocol: service.transport == "UDP" ? .udp : .tcp)
    }
}
