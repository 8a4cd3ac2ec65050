// Does what the reflector of one resource says: sends its requests, reads the answers object by object, and brings what
// they change to the mailbox. One task owns it.

import KubernetesClient
import KubernetesDecoding
import Logging
import ServiceModel

struct ResourceFollower {
    private let client: APIClient
    private let mailbox: FactMailbox
    private let uids: ObjectUIDs
    private let accept: String
    private let log: Logger
    private var reflector: Reflector
    private var table: ObjectTable
    private var state = ResourceState()

    init(
        _ selection: Selection, _ settings: KubernetesSource.Settings, client: APIClient, mailbox: FactMailbox,
        uids: ObjectUIDs, log: Logger
    ) {
        self.client = client
        self.uids = uids
        self.mailbox = mailbox
        self.log = log
        accept = settings.accept
        reflector = Reflector(
            selection: selection, timing: settings.timing, seed: UInt64.random(in: 0...UInt64.max))
        table = ObjectTable(selection: selection)
    }

    private var kind: FactKind { reflector.selection.kind }

    /// Until the task is cancelled.
    mutating func run() async {
        while !Task.isCancelled {
            switch reflector.next(now: .now) {
            case .wait(let instant):
                publish()
                try? await Task.sleep(until: instant, clock: .continuous)
            case .send(let request):
                if request.beginsReplacement { table.beginReplacement() }
                count(request)
                publish()
                await carryOut(request)
            }
        }
    }

    private mutating func carryOut(_ request: APIRequest) async {
        do throws(ClientFailure) {
            let answer = try await client.get(request.target, accept: accept, isWatch: !request.isList)
            guard answer.status == 200 else {
                var status = APIStatus(
                    body: await answer.beginning(limit: 64 << 10), contentType: answer.contentType,
                    code: answer.status)
                status.retryAfter = answer.retryAfter ?? status.retryAfter
                fail(.status(status))
                return
            }
            guard let encoding = AnswerEncoding(contentType: answer.contentType) else {
                fail(.unreadable("an answer of the type \(FieldValue.quoted(answer.contentType))"))
                return
            }
            if !request.beginsReplacement { noteRecovery() }
            if request.isList { try await readList(answer, encoding) } else { try await readWatch(answer, encoding) }
        } catch {
            fail(error)
        }
    }

    private mutating func readList(_ answer: APIAnswer, _ encoding: AnswerEncoding) async throws(ClientFailure) {
        var reader = ListReader(kind: kind, encoding: encoding)
        var chunks = answer.chunks()
        while let chunk = try await chunks.next() {
            do throws(UnreadableAnswer) {
                deliver(try reader.read(chunk).compactMap { put($0) })
            } catch {
                fail(.unreadable(error.description))
                return
            }
        }
        do throws(UnreadableAnswer) {
            let effect = reflector.finishPage(try reader.finish(), now: .now)
            carryOut(effect)
            if effect == .stop { noteFailure() }
        } catch {
            fail(.unreadable(error.description))
        }
    }

    /// Watches and streaming lists. Events of one chunk are delivered together.
    private mutating func readWatch(_ answer: APIAnswer, _ encoding: AnswerEncoding) async throws(ClientFailure) {
        var reader = WatchReader(kind: kind, encoding: encoding)
        var chunks = answer.chunks()
        while let chunk = try await chunks.next() {
            var changes: [FactChange] = []
            for event in reader.read(chunk) {
                state.events += 1
                let effect = reflector.take(event, now: .now)
                switch effect {
                case .put(let object): if let change = put(object) { changes.append(change) }
                case .remove(let object): if let change = remove(object) { changes.append(change) }
                case .none, .finishReplacement, .noteUnreadable, .stop:
                    deliver(changes)
                    changes = []
                    carryOut(effect)
                }
                guard effect != .stop else {
                    noteFailure()
                    return
                }
            }
            deliver(changes)
            publish()
        }
        let failures = reflector.failureCount
        reflector.end(now: .now)
        if reflector.failureCount != failures { noteFailure() }
    }

    private mutating func carryOut(_ effect: Reflector.Effect) {
        switch effect {
        case .none, .stop: break
        case .put(let object): deliver(put(object).map { [$0] } ?? [])
        case .remove(let object): deliver(remove(object).map { [$0] } ?? [])
        case .noteUnreadable(let reason): table.note(unreadable: reason)
        case .finishReplacement:
            let missed = table.finishReplacement()
            for change in missed { uids.forget(change.identity) }
            deliver(missed, isSynced: true)
            noteRecovery()
            log.debug(
                "read a complete list", metadata: ["resource": "\(kind.rawValue)", "objects": "\(table.count)"])
            publish()
        }
    }
}

// What is known.
extension ResourceFollower {
    private mutating func put(_ object: KubernetesObject) -> FactChange? {
        uids.note(object)
        return table.put(object)
    }

    private mutating func remove(_ object: KubernetesObject) -> FactChange? {
        if let identity = object.decoded.identity { uids.forget(identity) }
        return table.remove(object)
    }
}

// Telling.
extension ResourceFollower {
    private mutating func fail(_ failure: ClientFailure) {
        switch failure {
        case .stalled:
            client.abandonConnections()
            fail(Reflector.Failure.stalled)
        case .connection, .access, .cancelled: fail(Reflector.Failure.connection("\(failure)"))
        }
    }

    private mutating func fail(_ failure: Reflector.Failure) {
        guard !Task.isCancelled else { return }
        reflector.fail(failure, now: .now)
        noteFailure()
    }

    /// The same failure again is not told again.
    private mutating func noteFailure() {
        guard let failure = reflector.lastFailure else { return }
        state.failures += 1
        let words = "\(failure)"
        if words != state.failure {
            log.warning(
                "the API server does not answer as it should; traffic goes on as programmed",
                metadata: ["resource": "\(kind.rawValue)", "error": "\(words)"])
        }
        state.failure = words
        publish()
    }

    private mutating func noteRecovery() {
        guard state.failure != nil else { return }
        state.failure = nil
        publish()
        log.info("the API server is followed again", metadata: ["resource": "\(kind.rawValue)"])
    }

    private mutating func deliver(_ changes: [FactChange], isSynced: Bool = false) {
        let problems = table.problemsChanged ? table.problems : nil
        table.problemsChanged = false
        guard !changes.isEmpty || problems != nil || isSynced else { return }
        mailbox.put(changes, problems: problems, isSynced: isSynced, kind: kind)
    }

    private mutating func count(_ request: APIRequest) {
        switch request.verb {
        case .streamingList: state.lists += 1
        case .list(let token): if token == nil { state.lists += 1 }
        case .watch: state.watches += 1
        }
    }

    private mutating func publish() {
        state.activity = reflector.activity
        state.isSynced = reflector.isSynced
        state.resourceVersion = reflector.resourceVersion ?? ""
        state.objects = table.count
        state.decodeProblems = UInt64(table.problemCount)
        mailbox.set(state, of: kind)
    }
}
