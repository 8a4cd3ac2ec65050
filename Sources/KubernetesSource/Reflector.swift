// How one resource is kept up to date, as a state machine without clock, network or objects: it says what to ask for and
// when, and is told what came of it. A streaming list first, a paged list where the server has none (API-4), watches
// from the last version known, a whole new list whenever something may have been missed (API-5).

package import KubernetesDecoding
import ServiceModel

package struct Reflector: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package enum Action: Hashable, Sendable {
        case wait(until: Instant)
        case send(APIRequest)
    }

    /// What the driver has to do with an event, or with the end of a page.
    package enum Effect: Hashable, Sendable {
        case none
        case put(KubernetesObject)
        case remove(KubernetesObject)
        /// The list is complete: what it did not have is gone.
        case finishReplacement
        /// Something that cannot be read was among the objects of a list.
        case noteUnreadable(String)
        /// This answer is of no use any more.
        case stop
    }

    package enum Failure: Hashable, Sendable {
        case status(APIStatus)
        /// No connection, or a broken one.
        case connection(String)
        /// Nothing came for longer than bookmarks let one wait.
        case stalled
        /// The answer is not what the API promises.
        case unreadable(String)
    }

    private enum Aim: Hashable, Sendable {
        case list
        case page(token: String)
        case watch
    }

    package let selection: Selection
    package let timing: ReflectorTiming
    private var aim = Aim.list
    private var notBefore: Instant?
    /// The request that is being answered, since when, and whether anything has come of it.
    private var current: (request: APIRequest, since: Instant, isFruitful: Bool)?
    /// Where a watch can go on; nil: a list has to come first.
    package private(set) var resourceVersion: String?
    /// What is known was complete once.
    package private(set) var isSynced = false
    /// Nil also after a refusal that had to be reckoned with.
    package private(set) var lastFailure: Failure?
    package private(set) var failureCount: UInt64 = 0
    private var canStream = true
    private var usesFieldSelector = true
    /// The server has said that the version to go on from is too old, or it cannot be trusted: nothing cached will do.
    private var versionIsLost = false
    private var failuresInARow = 0
    /// When the failures in a row began.
    private var failingSince: Instant?
    private var backoff: Backoff

    package init(selection: Selection, timing: ReflectorTiming = ReflectorTiming(), seed: UInt64) {
        self.selection = selection
        self.timing = timing
        backoff = Backoff(seed: seed)
    }

    /// What to do now. A request that this returns is under way from then on.
    package mutating func next(now: Instant) -> Action {
        if let notBefore, notBefore > now { return .wait(until: notBefore) }
        notBefore = nil
        let request = nextRequest()
        current = (request, now, false)
        return .send(request)
    }

    /// What is done at the moment, in a word for people.
    package var activity: Activity {
        guard let current else { return .waiting }
        switch current.request.verb {
        case .list: return .listing
        case .streamingList: return isReplacing ? .listing : .watching
        case .watch: return .watching
        }
    }

    package enum Activity: String, Hashable, Sendable {
        case waiting
        case listing
        case watching
    }

    /// Between the beginning of a list and its end.
    private var isReplacing: Bool {
        guard let current, current.request.verb != .watch else { return false }
        return resourceVersion == nil || current.request.isList
    }

    private mutating func nextRequest() -> APIRequest {
        var parameters = selection.parameters(withFieldSelector: usesFieldSelector)
        switch aim {
        case .watch:
            parameters += watchParameters() + [("resourceVersion", resourceVersion ?? "")]
            return APIRequest(.watch, selection, parameters)
        case .list where canStream:
            resourceVersion = nil
            parameters += watchParameters()
            parameters += [("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan")]
            return APIRequest(.streamingList, selection, parameters)
        case .list:
            // The first list may come from the server's cache, later ones must not go back in time. After a lost
            // version only what the store has will do.
            if !versionIsLost { parameters.append(("resourceVersion", resourceVersion ?? "0")) }
            parameters.append(("limit", "\(timing.pageSize)"))
            return APIRequest(.list(token: nil), selection, parameters)
        case .page(let token):
            parameters += [("limit", "\(timing.pageSize)"), ("continue", token)]
            return APIRequest(.list(token: token), selection, parameters)
        }
    }

    /// The server ends a watch after a while of its choice from five to ten minutes, as kube-proxy asks.
    private mutating func watchParameters() -> [(String, String)] {
        let seconds = backoff.seconds(in: timing.watchSeconds)
        return [("watch", "true"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", "\(seconds)")]
    }
}

// What comes of requests.
extension Reflector {
    /// An event of a watch or of a streaming list.
    package mutating func take(_ event: WatchEvent, now: Instant) -> Effect {
        guard current != nil else { return .stop }
        switch event {
        case .put(let object):
            advance(to: object.resourceVersion)
            return .put(object)
        case .removed(let object):
            advance(to: object.resourceVersion)
            guard object.decoded.identity != nil else {
                return unreadable("a DELETED event that does not say of what", now: now)
            }
            return .remove(object)
        case .bookmark(let version, let endsInitialEvents):
            guard isReplacing else {
                advance(to: version)
                return .none
            }
            guard endsInitialEvents, !version.isEmpty else { return .none }
            succeed(at: version)
            return .finishReplacement
        case .failed(let status):
            fail(.status(status), now: now)
            return .stop
        case .unexpected(let what): return .noteUnreadable(what)
        case .unreadable(let reason): return unreadable("a watch event " + reason, now: now)
        }
    }

    /// In a list, whoever it was is kept. In a watch, something has been missed.
    private mutating func unreadable(_ reason: String, now: Instant) -> Effect {
        guard !isReplacing else { return .noteUnreadable(reason) }
        fail(.unreadable(reason), now: now)
        return .stop
    }

    /// The end of one page of a list.
    package mutating func finishPage(_ head: ListHead, now: Instant) -> Effect {
        guard current != nil else { return .stop }
        current = nil
        guard let token = head.continueToken else {
            guard !head.resourceVersion.isEmpty else {
                fail(.unreadable("a list without resourceVersion"), now: now)
                return .stop
            }
            succeed(at: head.resourceVersion)
            aim = .watch
            return .finishReplacement
        }
        aim = .page(token: token)
        return .none
    }

    private mutating func succeed(at version: String) {
        resourceVersion = version
        current?.isFruitful = true
        isSynced = true
        versionIsLost = false
        failuresInARow = 0
        failingSince = nil
        aim = .watch
        backoff.reset()
    }

    private mutating func advance(to version: String) {
        current?.isFruitful = true
        guard let known = resourceVersion, !isReplacing else { return }
        failuresInARow = 0
        failingSince = nil
        backoff.reset()
        guard !version.isEmpty, !ResourceVersion.isOlder(version, than: known) else { return }
        resourceVersion = version
    }

    /// The answer ended as the server meant it to. A watch goes on at once, unless it was suspiciously short.
    package mutating func end(now: Instant) {
        guard let ended = current else { return }
        let wasReplacing = isReplacing
        current = nil
        guard !wasReplacing else {
            fail(.unreadable("a list that ended before it was complete"), now: now)
            return
        }
        if now - ended.since < timing.shortWatch { notBefore = now + backoff.next() }
    }

    package mutating func fail(_ failure: Failure, now: Instant) {
        let failed = current
        let wasReplacing = isReplacing
        current = nil
        lastFailure = failure
        failureCount += 1
        failuresInARow += 1
        let outage = now - (failingSince ?? now)
        failingSince = failingSince ?? now
        switch failure {
        case .status(let status):
            refused(status, failed?.request, now: now)
            return
        case .connection: if outage > timing.longOutage { loseVersion() }
        case .stalled:
            // A watch from a version that the server does not have yet is silent, too.
            if failed?.isFruitful != true { loseVersion() }
        case .unreadable: loseVersion()
        }
        if wasReplacing { aim = .list }
        notBefore = now + backoff.next()
    }

    private mutating func refused(_ status: APIStatus, _ request: APIRequest?, now: Instant) {
        var pause = max(backoff.next(), min(status.retryAfter ?? .zero, timing.longestRetryAfter))
        let isWatch = request?.verb == .watch || (request?.verb == .streamingList && resourceVersion != nil)
        if !isWatch { aim = .list }
        switch status.code {
        case 410: loseVersion()
        case 400 where usesFieldSelector && selection.canDropFieldSelector:
            usesFieldSelector = false
            loseVersion()
            pause = .zero
            lastFailure = nil
        case 400, 422:
            guard request?.verb == .streamingList, canStream else {
                if isWatch, failuresInARow >= 3 { loseVersion() }
                break
            }
            canStream = false
            pause = .zero
            lastFailure = nil
        case 404 where selection.isOptional: pause = timing.absentPause
        case 401, 403, 429: break
        default:
            // Some servers answer so to a version that they do not like.
            if isWatch, failuresInARow >= 3 { loseVersion() }
        }
        notBefore = now + pause
    }

    private mutating func loseVersion() {
        aim = .list
        resourceVersion = nil
        versionIsLost = true
    }
}

extension Reflector.Failure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .status(let status): "\(status)"
        case .connection(let reason): reason
        case .stalled: "nothing came for too long"
        case .unreadable(let reason): reason
        }
    }
}
