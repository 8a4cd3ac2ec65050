// Events of events.k8s.io/v1 as JSON: whole ones, and patches of their series.

import Foundation
import ServiceModel

/// Who tells: the same in every event of a process.
package struct EventReporter: Hashable, Sendable {
    /// The kind of component, `martlet`.
    package var controller: String
    /// Which of them, `martlet-worker-1`.
    package var instance: String

    package init(controller: String, instance: String) {
        self.controller = controller
        // More is refused.
        self.instance = String(instance.prefix(128))
    }
}

extension EventWrite {
    /// Path of the request.
    var target: String {
        let events = "/apis/events.k8s.io/v1/namespaces/\(notice.regarding.namespace)/events"
        return isNew ? events : "\(events)/\(name)"
    }

    func body(_ reporter: EventReporter) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Of strings and numbers; there is nothing in them that JSON could not say.
        let data = isNew ? try? encoder.encode(Body(self, reporter)) : try? encoder.encode(Patch(self))
        return data.map { [UInt8]($0) } ?? []
    }

    private struct Patch: Encodable {
        let series: Series

        init(_ write: EventWrite) { series = Series(write) }
    }

    private struct Series: Encodable {
        let count: Int
        let lastObservedTime: String

        init(_ write: EventWrite) {
            count = write.count
            lastObservedTime = EventWrite.text(of: write.last)
        }
    }

    private struct Body: Encodable {
        struct Metadata: Encodable {
            let name: String
            let namespace: String
        }

        struct Reference: Encodable {
            let apiVersion: String
            let kind: String
            let name: String
            let namespace: String?
            let uid: String?
        }

        let apiVersion = "events.k8s.io/v1"
        let kind = "Event"
        let metadata: Metadata
        let eventTime: String
        let reportingController: String
        let reportingInstance: String
        let action: String
        let reason: String
        let regarding: Reference
        let note: String
        let type: String
        let series: Series?

        init(_ write: EventWrite, _ reporter: EventReporter) {
            let notice = write.notice
            let identity = notice.regarding.identity
            metadata = Metadata(name: write.name, namespace: notice.regarding.namespace)
            eventTime = EventWrite.text(of: write.first)
            reportingController = reporter.controller
            reportingInstance = reporter.instance
            action = notice.action
            reason = notice.reason
            regarding = Reference(
                apiVersion: identity.kind.apiVersion, kind: identity.kind.rawValue, name: identity.name.name,
                namespace: identity.kind.isNamespaced ? identity.name.namespace : nil, uid: notice.regarding.uid)
            note = notice.note
            type = notice.kind.rawValue
            // One is no series.
            series = write.count > 1 ? Series(write) : nil
        }
    }

    /// RFC 3339 with microseconds, in UTC.
    static func text(of date: Date) -> String {
        let microseconds = Int64((date.timeIntervalSince1970 * 1e6).rounded(.down))
        let (seconds, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let fraction = String(rest + 1_000_000).dropFirst()
        return (Timestamp.text(secondsSince1970: seconds) ?? "").dropLast() + ".\(fraction)Z"
    }
}
