// A reflector under a manual clock: what it asks for, and what becomes of it.

import KubernetesDecoding
import KubernetesSource
import ServiceModel
import Testing

struct ReflectorHarness {
    var reflector: Reflector
    private(set) var now = ContinuousClock.now

    init(_ kind: FactKind = .service, seed: UInt64 = 1) {
        reflector = Reflector(selection: Selection(kind: kind, nodeName: "node1"), seed: seed)
    }

    mutating func pass(_ duration: Duration) {
        now += duration
    }

    /// The request that is due; waits for it as long as the reflector wants, and says how long that was.
    mutating func request() throws -> (request: APIRequest, waited: Duration) {
        let start = now
        for _ in 0..<10 {
            switch reflector.next(now: now) {
            case .send(let request): return (request, now - start)
            case .wait(let instant):
                try #require(instant > now)
                now = instant
            }
        }
        throw NoRequest()
    }

    struct NoRequest: Error {}

    /// Through a streaming list to a running watch at this version.
    mutating func sync(at version: String = "100") throws {
        let (request, _) = try request()
        try #require(request.verb == .streamingList)
        let effect = reflector.take(.bookmark(resourceVersion: version, endsInitialEvents: true), now: now)
        try #require(effect == .finishReplacement)
    }

    mutating func take(_ event: WatchEvent) -> Reflector.Effect { reflector.take(event, now: now) }

    mutating func fail(_ failure: Reflector.Failure) { reflector.fail(failure, now: now) }

    mutating func end(after duration: Duration = .seconds(400)) {
        now += duration
        reflector.end(now: now)
    }
}

/// A service `demo/NAME`, by default a usable one.
func object(_ name: String, at version: String, address: String = "10.96.0.10", port: Int = 80) -> KubernetesObject {
    let service = Service(
        name: ObjectName(namespace: "demo", name: name), ports: [ServicePort(port: UInt16(port))])
    return KubernetesObject(decoded: DecodedObject(outcome: .fact(.service(service))), resourceVersion: version)
}

/// The same object with a mistake that makes it unusable.
func broken(_ name: String, at version: String) -> KubernetesObject {
    let identity = ObjectIdentity(kind: .service, name: ObjectName(namespace: "demo", name: name))
    let problem = ObjectProblem(object: "\(identity)", field: "spec.ports[0].port", message: "70000 is not a port")
    return KubernetesObject(
        decoded: DecodedObject(outcome: .unusable(.object(identity), problem)), resourceVersion: version)
}

/// Something that does not say who it is.
func nameless(at version: String = "") -> KubernetesObject {
    let problem = ObjectProblem(object: "a Service", message: "metadata.name is missing")
    return KubernetesObject(decoded: DecodedObject(outcome: .unusable(.nameless, problem)), resourceVersion: version)
}

extension APIRequest {
    func has(_ parameter: String) -> Bool {
        (target.split(separator: "?").last ?? "").split(separator: "&").contains { $0 == parameter }
    }

    /// The value of a parameter, as it is written.
    func value(_ name: String) -> String? {
        (target.split(separator: "?").last ?? "").split(separator: "&").first { $0.hasPrefix(name + "=") }
            .map { String($0.dropFirst(name.count + 1)) }
    }
}
