// The frame of the probe's wire: JSON lines, one request object per line on its standard input, one response object
// per line on its standard output, matched by id. Each call is a struct that names its reply, so that both sides
// agree by type; the calls themselves are in the other files of this target.
//
//   {"id":1,"call":"ask","arguments":{"transport":"tcp","family":"4","to":{"address":"10.0.1.2","port":80},…}}
//   {"id":1,"result":{…}}            or
//   {"id":1,"failure":{"call":"connect","object":"10.0.1.2:80","errno":111,"name":"ECONNREFUSED"}}

package import HostCalls

/// One thing that a probe can be asked to do.
package protocol ProbeCall: Codable, Sendable {
    associatedtype Reply: Codable & Sendable
    /// The `call` member of the request.
    static var name: String { get }
}

/// What every request begins with; enough to choose who decodes the rest.
package struct ProbeRequestHead: Codable, Sendable {
    package let id: Int
    package let call: String
}

package struct ProbeRequest<Call: ProbeCall>: Codable, Sendable {
    package let id: Int
    package let call: String
    package let arguments: Call

    package init(id: Int, arguments: Call) {
        self.id = id
        self.call = Call.name
        self.arguments = arguments
    }
}

/// Exactly one of `result` and `failure` is there.
package struct ProbeResponse<Reply: Codable & Sendable>: Codable, Sendable {
    package let id: Int
    package let result: Reply?
    package let failure: CallFailure?

    package init(id: Int, result: Reply) {
        self.id = id
        self.result = result
        self.failure = nil
    }

    package init(id: Int, failure: CallFailure) {
        self.id = id
        self.result = nil
        self.failure = failure
    }
}

/// The reply of calls that have nothing to say but that they succeeded.
package struct Done: Codable, Sendable {
    package init() {}
}
