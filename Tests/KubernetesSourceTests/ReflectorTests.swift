// What the reflector asks for, and when, whatever the server does.

import KubernetesDecoding
import KubernetesSource
import ServiceModel
import Testing

@Suite("The reflector")
struct ReflectorTests {
    @Test(
        "API-2, API-4: asks first for a streaming list with kube-proxy's selectors",
        arguments: [
            (
                FactKind.service,
                "/api/v1/services?allowWatchBookmarks=true&fieldSelector=spec.clusterIP%21%3DNone&labelSelector=%21service.kubernetes.io%2Fservice-proxy-name&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeoutSeconds=N&watch=true"
            ),
            (
                .endpointSlice,
                "/apis/discovery.k8s.io/v1/endpointslices?allowWatchBookmarks=true&labelSelector=%21service.kubernetes.io%2Fheadless&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeoutSeconds=N&watch=true"
            ),
            (
                .node,
                "/api/v1/nodes?allowWatchBookmarks=true&fieldSelector=metadata.name%3Dnode1&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeoutSeconds=N&watch=true"
            ),
            (
                .serviceCIDR,
                "/apis/networking.k8s.io/v1/servicecidrs?allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeoutSeconds=N&watch=true"
            ),
        ])
    func firstRequest(_ kind: FactKind, _ target: String) throws {
        var harness = ReflectorHarness(kind)
        let request = try harness.request().request
        let seconds = try #require(request.value("timeoutSeconds").flatMap { Int($0) })
        #expect((300...600).contains(seconds))
        #expect(request.target == target.replacing("timeoutSeconds=N", with: "timeoutSeconds=\(seconds)"))
        #expect(request.beginsReplacement)
    }

    @Test("API-4: falls back to a paged list and a watch where there is no streaming list")
    func pagedList() throws {
        var harness = ReflectorHarness()
        _ = try harness.request()
        harness.fail(.status(APIStatus(code: 422, reason: "Invalid")))
        let first = try harness.request()
        #expect(first.waited == .zero)
        #expect(first.request.verb == .list(token: nil))
        #expect(first.request.has("limit=500") && first.request.has("resourceVersion=0"))
        let more = ListHead(resourceVersion: "90", continueToken: "t=1")
        #expect(harness.reflector.finishPage(more, now: harness.now) == .none)
        let second = try harness.request().request
        #expect(second.verb == .list(token: "t=1"))
        #expect(second.has("continue=t%3D1") && second.value("resourceVersion") == nil)
        #expect(!harness.reflector.isSynced)
        let last = ListHead(resourceVersion: "91", continueToken: nil)
        #expect(harness.reflector.finishPage(last, now: harness.now) == .finishReplacement)
        #expect(harness.reflector.isSynced)
        let watch = try harness.request().request
        #expect(watch.verb == .watch)
        #expect(watch.has("resourceVersion=91") && watch.has("allowWatchBookmarks=true"))
        #expect(watch.value("sendInitialEvents") == nil)
    }

    @Test("API-4: events and bookmarks move the point from which a watch goes on")
    func resumePoint() throws {
        var harness = ReflectorHarness()
        try harness.sync(at: "100")
        #expect(harness.take(.put(object("a", at: "101"))) == .put(object("a", at: "101")))
        #expect(harness.reflector.resourceVersion == "101")
        #expect(harness.take(.bookmark(resourceVersion: "150", endsInitialEvents: false)) == .none)
        _ = harness.take(.put(object("b", at: "149")))
        #expect(harness.reflector.resourceVersion == "150", "what comes late does not move it back")
        harness.end()
        let (request, waited) = try harness.request()
        #expect(request.verb == .watch && request.has("resourceVersion=150"))
        #expect(waited == .zero, "the server ended it in time")
    }

    @Test("API-4: objects of a streaming list are no point to go on from before its end")
    func interruptedStreamingList() throws {
        var harness = ReflectorHarness()
        _ = try harness.request()
        _ = harness.take(.put(object("a", at: "60")))
        #expect(harness.take(.bookmark(resourceVersion: "61", endsInitialEvents: false)) == .none)
        harness.fail(.connection("reset"))
        #expect(!harness.reflector.isSynced)
        let (request, waited) = try harness.request()
        #expect(request.verb == .streamingList && request.beginsReplacement)
        #expect(request.value("resourceVersion") == nil)
        #expect(waited > .zero)
    }

    @Test("API-5: a version that is too old, in HTTP or in an event, leads to a new list", arguments: [true, false])
    func expired(asEvent: Bool) throws {
        var harness = ReflectorHarness()
        try harness.sync()
        let status = APIStatus(code: 410, reason: "Expired", message: "too old resource version")
        if asEvent {
            #expect(harness.take(.failed(status)) == .stop)
        } else {
            harness.end()
            _ = try harness.request()
            harness.fail(.status(status))
        }
        let (request, waited) = try harness.request()
        #expect(request.beginsReplacement)
        #expect(waited > .zero && waited < .seconds(2))
        #expect(harness.reflector.isSynced, "what is known stays in force")
    }

    @Test("API-5: after an expired list without streaming, only what the store has will do")
    func expiredContinue() throws {
        var harness = ReflectorHarness()
        _ = try harness.request()
        harness.fail(.status(APIStatus(code: 422)))
        _ = try harness.request()
        _ = harness.reflector.finishPage(ListHead(resourceVersion: "5", continueToken: "t"), now: harness.now)
        _ = try harness.request()
        harness.fail(.status(APIStatus(code: 410, reason: "Expired")))
        let request = try harness.request().request
        #expect(request.verb == .list(token: nil))
        #expect(request.value("resourceVersion") == nil)
    }

    @Test("API-8: waits 0.8 s after a failure, doubling to 30 s, with jitter, and watches on from where it was")
    func backoff() throws {
        var harness = ReflectorHarness()
        try harness.sync(at: "7")
        var waits: [Duration] = []
        harness.fail(.connection("refused"))
        for number in 0..<10 {
            let (request, waited) = try harness.request()
            if number < 5 { #expect(request.verb == .watch && request.has("resourceVersion=7")) }
            waits.append(waited)
            harness.fail(.connection("refused"))
        }
        for (index, wait) in waits.enumerated() {
            let base = min(0.8 * Double(1 << index), 15)
            #expect(wait >= .seconds(base) && wait <= .seconds(base * 2), "\(index): \(wait)")
        }
        #expect(Set(waits).count > 5)
        try harness.sync(at: "7")
        _ = harness.take(.put(object("a", at: "8")))
        harness.fail(.connection("reset"))
        #expect(try harness.request().waited < .seconds(1.6), "an event proves that all is well again")
    }

    @Test("API-8: two nodes do not come back at the same moment")
    func jitter() throws {
        var waits: Set<Duration> = []
        for seed in 0..<20 {
            var harness = ReflectorHarness(seed: UInt64(seed))
            _ = try harness.request()
            harness.fail(.connection("refused"))
            waits.insert(try harness.request().waited)
        }
        #expect(waits.count > 15)
    }

    @Test("Retry-After is waited for, but not for ever", arguments: [429, 503])
    func retryAfter(_ code: Int) throws {
        var harness = ReflectorHarness()
        try harness.sync(at: "7")
        harness.end()
        _ = try harness.request()
        harness.fail(.status(APIStatus(code: code, retryAfter: .seconds(17))))
        let (request, waited) = try harness.request()
        #expect(waited == .seconds(17))
        #expect(request.verb == .watch && request.has("resourceVersion=7"))
        harness.fail(.status(APIStatus(code: code, retryAfter: .seconds(3600))))
        #expect(try harness.request().waited == .seconds(120))
    }

    @Test("a refusal for lack of rights is asked again, from the same version", arguments: [401, 403])
    func refused(_ code: Int) throws {
        var harness = ReflectorHarness()
        try harness.sync(at: "7")
        harness.end()
        for _ in 0..<6 {
            let request = try harness.request().request
            #expect(request.verb == .watch && request.has("resourceVersion=7"))
            harness.fail(.status(APIStatus(code: code)))
        }
    }

    @Test("a server that keeps failing at one version is asked for a new list")
    func badVersion() throws {
        var harness = ReflectorHarness()
        try harness.sync()
        harness.end()
        for _ in 0..<3 {
            #expect(try harness.request().request.verb == .watch)
            harness.fail(.status(APIStatus(code: 500)))
        }
        #expect(try harness.request().request.verb == .streamingList)
    }

    @Test("API-5: after a long outage the server may be another one, and a new list is asked for")
    func longOutage() throws {
        var harness = ReflectorHarness()
        try harness.sync(at: "7")
        harness.fail(.connection("refused"))
        var requests: [APIRequest.Verb] = []
        for _ in 0..<10 {
            requests.append(try harness.request().request.verb)
            harness.fail(.connection("refused"))
        }
        #expect(requests.first == .watch && requests.last == .streamingList)
        #expect(harness.reflector.isSynced, "what is known stays in force")
    }

    @Test("silence ends a watch; one that was silent from the beginning is not trusted")
    func stalls() throws {
        var harness = ReflectorHarness()
        try harness.sync(at: "7")
        _ = harness.take(.bookmark(resourceVersion: "9", endsInitialEvents: false))
        harness.pass(.seconds(150))
        harness.fail(.stalled)
        let request = try harness.request().request
        #expect(request.verb == .watch && request.has("resourceVersion=9"))
        harness.pass(.seconds(150))
        harness.fail(.stalled)
        // A watch from a version that a restored server does not have yet is silent as well.
        #expect(try harness.request().request.verb == .streamingList)
    }

    @Test("a watch that ends at once is not asked for again at once")
    func shortWatch() throws {
        var harness = ReflectorHarness()
        try harness.sync()
        harness.end()
        _ = try harness.request()
        harness.end(after: .milliseconds(5))
        #expect(try harness.request().waited >= .seconds(0.8))
    }

    @Test("a type that the server does not have is asked for every five minutes, others sooner")
    func absent() throws {
        var cidrs = ReflectorHarness(.serviceCIDR)
        _ = try cidrs.request()
        cidrs.fail(.status(APIStatus(code: 404, reason: "NotFound")))
        #expect(try cidrs.request().waited == .seconds(300))
        var services = ReflectorHarness()
        _ = try services.request()
        services.fail(.status(APIStatus(code: 404, reason: "NotFound")))
        #expect(try services.request().waited < .seconds(2))
    }

    @Test("API-2: servers that refuse the field selector of Services are asked without it")
    func oldServer() throws {
        var harness = ReflectorHarness()
        _ = try harness.request()
        harness.fail(.status(APIStatus(code: 400, reason: "BadRequest", message: "field label not supported")))
        let (request, waited) = try harness.request()
        #expect(waited == .zero)
        #expect(request.value("fieldSelector") == nil && request.value("labelSelector") != nil)
    }

    @Test("a frame that cannot be read costs a list an object's name, and a watch its place")
    func unreadableFrames() throws {
        var harness = ReflectorHarness()
        _ = try harness.request()
        guard case .noteUnreadable = harness.take(.unreadable("is not JSON")) else {
            Issue.record("the list should go on")
            return
        }
        _ = harness.take(.bookmark(resourceVersion: "5", endsInitialEvents: true))
        #expect(harness.take(.unreadable("is not JSON")) == .stop)
        #expect(try harness.request().request.verb == .streamingList)
    }

    @Test("INV-8: objects of another kind are passed over")
    func unexpectedKind() throws {
        var harness = ReflectorHarness()
        try harness.sync(at: "7")
        guard case .noteUnreadable = harness.take(.unexpected("ADDED of \"Pod\" of \"v1\"")) else {
            Issue.record("the watch should go on")
            return
        }
        #expect(harness.take(.put(object("a", at: "8"))) == .put(object("a", at: "8")))
    }
}
