// The names of log metadata keys, so that one thing is called the same in every line that mentions it. Which lines are
// written, and at which level, is for the code that handles the event.

/// Keys for `Logger.Metadata`. Each names what its value is; units stand in the name where the value has any.
package enum LogKeys {
    // Kubernetes facts.

    /// `namespace/name` of a Service; with a port `namespace/name:portName`.
    package static let service = "service"
    /// `kind namespace/name` of any object; `kind name` where there is no namespace.
    package static let object = "object"
    /// The path of a field in an object, as in `spec.ports[0].nodePort`.
    package static let field = "field"
    /// The value that was found in a field.
    package static let value = "value"
    package static let node = "node"
    /// A resource type that is watched, as in `endpointslices.discovery.k8s.io`.
    package static let resource = "resource"
    package static let resourceVersion = "resource_version"
    /// `ipv4` or `ipv6`.
    package static let family = "family"

    // What is programmed.

    /// `address:port/protocol` of a frontend.
    package static let frontend = "frontend"
    /// `address:port/protocol` of a backend.
    package static let backend = "backend"
    /// The name of a kernel map.
    package static let map = "map"
    /// The name of a kernel program.
    package static let program = "program"
    /// The hook or the interface that a program is attached to.
    package static let hook = "hook"

    // Where input comes from.

    /// A source of facts: `kubernetes` or `manifests`.
    package static let source = "source"
    package static let file = "file"
    /// Position of a document in its file, counted from 1.
    package static let document = "document"
    package static let url = "url"
    /// An HTTP status code.
    package static let status = "status"

    // What happened.

    /// The verb of what was tried: read, write, delete, bind, list, watch.
    package static let operation = "operation"
    /// The whole sentence of an error.
    package static let error = "error"
    /// The kernel's error number.
    package static let errno = "errno"
    /// Why something was done, or refused, in words.
    package static let reason = "reason"
    package static let count = "count"
    /// How often something was tried, counted from 1.
    package static let attempt = "attempt"
    /// How long something took.
    package static let durationSeconds = "duration_seconds"
    /// How long until it is tried again.
    package static let retrySeconds = "retry_seconds"
    /// `address:port` that a server of ours listens on.
    package static let address = "address"
}
