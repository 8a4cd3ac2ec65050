// One event of a watch, from its frame.

import KubernetesMessages
import ServiceModel
import SwiftProtobuf

package enum WatchEvent: Hashable, Sendable {
    /// The object is new, or is like this now.
    case put(KubernetesObject)
    /// The object is gone, or matches the selector no more. The version is that of the change.
    case removed(KubernetesObject)
    /// Everything up to this version has been sent.
    case bookmark(resourceVersion: String, endsInitialEvents: Bool)
    /// The server gives up on this watch.
    case failed(APIStatus)
    /// An object of a kind that was not asked for. It is passed over (INV-8).
    case unexpected(String)
    /// A frame that says nothing: what it was about is unknown.
    case unreadable(String)
}

extension WatchEvent {
    /// The annotation of the bookmark that ends a streaming list (KEP-3157).
    private static let initialEventsEnd = "k8s.io/initial-events-end"

    init(frame: [UInt8], kind: FactKind, encoding: AnswerEncoding) {
        switch encoding {
        case .json: self.init(json: frame, kind: kind)
        case .protobuf: self.init(protobuf: frame, kind: kind)
        }
    }

    private init(json frame: [UInt8], kind: FactKind) {
        let value: FieldValue?
        do throws(TextProblem) {
            value = try JSONText.parse(frame).first?.value
        } catch {
            self = .unreadable("is not JSON: \(error.message)")
            return
        }
        guard let value, let type = value.text("type"), let object = value["object"] else {
            self = .unreadable("has no type or no object")
            return
        }
        guard type != "ERROR" else {
            self = APIStatus(fields: object).map { .failed($0) } ?? .unreadable("ERROR without a Status")
            return
        }
        let found = (apiVersion: object.text("apiVersion") ?? "", kind: object.text("kind") ?? "")
        guard found == (kind.apiVersion, kind.rawValue) else {
            self = .unexpected("\(type) of \(FieldValue.quoted(found.kind)) of \(FieldValue.quoted(found.apiVersion))")
            return
        }
        self.init(type: type, bookmark: object) { KubernetesObject(object, kind: kind) }
    }

    private init(protobuf frame: [UInt8], kind: FactKind) {
        do {
            let event = try WireWatchEvent(serializedBytes: frame, options: .lean)
            let envelope = try Envelope(event.object.raw)
            guard event.type != "ERROR" else {
                self = .failed(try APIStatus(message: envelope.raw))
                return
            }
            guard (envelope.apiVersion, envelope.kind) == (kind.apiVersion, kind.rawValue) else {
                let (kind, version) = (FieldValue.quoted(envelope.kind), FieldValue.quoted(envelope.apiVersion))
                self = .unexpected("\(event.type) of \(kind) of \(version)")
                return
            }
            let bookmark =
                event.type == "BOOKMARK"
                ? try WireAnyObject(serializedBytes: envelope.raw, options: .lean).fields : FieldValue.null
            self.init(type: event.type, bookmark: bookmark) {
                KubernetesObject(bytes: envelope.raw, kind: kind, encoding: .protobuf)
            }
        } catch {
            self = .unreadable("is not a watch event in protobuf: \(error)")
        }
    }

    private init(type: String, bookmark: FieldValue, object: () -> KubernetesObject) {
        switch type {
        case "ADDED", "MODIFIED": self = .put(object())
        case "DELETED": self = .removed(object())
        case "BOOKMARK":
            let metadata = bookmark["metadata"]
            self = .bookmark(
                resourceVersion: metadata?.text("resourceVersion") ?? "",
                endsInitialEvents: metadata?["annotations"]?.text(Self.initialEventsEnd) == "true")
        default: self = .unreadable("has the type \(FieldValue.quoted(type))")
        }
    }
}
