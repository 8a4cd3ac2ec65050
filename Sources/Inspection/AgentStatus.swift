// What a running agent tells about itself beside the maps: where its facts come from, what it could not program, and
// what was wrong with its input. The agent writes the file, `martlet status` reads it, also when the agent is gone.

package import Datapath
package import FoundationEssentials
import SystemCalls

package struct AgentStatus: Codable, Hashable, Sendable {
    /// Frontends that are, or are not, in the datapath as they should be.
    package struct Programmed: Codable, Hashable, Sendable {
        package var programmed: Int
        package var failed: Int

        package init(programmed: Int = 0, failed: Int = 0) {
            self.programmed = programmed
            self.failed = failed
        }
    }

    package struct FrontendError: Codable, Hashable, Sendable {
        /// As `10.96.0.1:80/TCP`.
        package var frontend: String
        /// As `namespace/name:port`.
        package var service: String
        /// A sentence.
        package var error: String
        /// When it first failed.
        package var since: Date
        /// How often it was tried.
        package var attempts: Int

        package init(frontend: String, service: String, error: String, since: Date, attempts: Int) {
            self.frontend = frontend
            self.service = service
            self.error = error
            self.since = since
            self.attempts = attempts
        }
    }

    /// Something wrong with one object of the input.
    package struct Problem: Codable, Hashable, Sendable {
        /// The file it came from; null when it came from an API server.
        @Nullable package var file: String?
        /// Which document of the file, from 1 on.
        @Nullable package var document: Int?
        package var object: String
        /// Path of the field; empty when the whole object is meant.
        package var field: String
        package var message: String

        package init(file: String? = nil, document: Int? = nil, object: String, field: String = "", message: String) {
            self.file = file
            self.document = document
            self.object = object
            self.field = field
            self.message = message
        }
    }

    /// The last comparison of the maps with what they should hold.
    package struct Audit: Codable, Hashable, Sendable {
        package var at: Date
        package var differences: Int
        package var repaired: Int

        package init(at: Date, differences: Int, repaired: Int) {
            self.at = at
            self.differences = differences
            self.repaired = repaired
        }
    }

    /// How it stands with the API server that the facts come from.
    package struct API: Codable, Hashable, Sendable {
        package struct Resource: Codable, Hashable, Sendable {
            /// As `EndpointSlice`.
            package var kind: String
            /// `watching`, `listing`, or `waiting` before the server is asked again.
            package var activity: String
            /// A complete list has been read once.
            package var synced: Bool
            /// Of the last list, event or bookmark; empty before, and while a list is being read.
            package var resourceVersion: String
            package var objects: Int
            /// The last thing that went wrong; null when all is well again.
            @Nullable package var error: String?

            package init(
                kind: String, activity: String, synced: Bool, resourceVersion: String, objects: Int, error: String?
            ) {
                self.kind = kind
                self.activity = activity
                self.synced = synced
                self.resourceVersion = resourceVersion
                self.objects = objects
                self.error = error
            }
        }

        /// The one that is asked at the moment.
        package var server: String
        /// Services and EndpointSlices are being watched.
        package var connected: Bool
        package var resources: [Resource]

        package init(server: String, connected: Bool, resources: [Resource]) {
            self.server = server
            self.connected = connected
            self.resources = resources
        }
    }

    package var pid: Int32
    package var version: String
    package var startedAt: Date
    /// When this was written.
    package var updatedAt: Date
    /// Every source has delivered everything once.
    package var synced: Bool
    /// Where facts come from, in words: `manifests in /etc/martlet`.
    package var source: String
    package var services: Int
    package var frontends: Programmed
    package var frontendErrors: [FrontendError]
    package var problems: [Problem]
    /// What an operator should know about the installation.
    package var notices: [String]
    @Nullable package var lastAudit: Audit?
    /// What came of attaching to the node's devices; null before they are known.
    @Nullable package var attachments: AttachmentReport?
    /// The source ports of masqueraded flows, and whether they are reserved; null without packet hooks.
    @Nullable package var sourcePorts: String?
    /// Null when the facts come from manifests.
    @Nullable package var api: API?

    package init(
        pid: Int32, version: String, startedAt: Date, updatedAt: Date, synced: Bool, source: String, services: Int = 0,
        frontends: Programmed = Programmed(), frontendErrors: [FrontendError] = [], problems: [Problem] = [],
        notices: [String] = [], lastAudit: Audit? = nil, attachments: AttachmentReport? = nil,
        sourcePorts: String? = nil, api: API? = nil
    ) {
        self.pid = pid
        self.version = version
        self.startedAt = startedAt
        self.updatedAt = updatedAt
        self.synced = synced
        self.source = source
        self.services = services
        self.frontends = frontends
        self.frontendErrors = frontendErrors
        self.problems = problems
        self.notices = notices
        self.lastAudit = lastAudit
        self.attachments = attachments
        self.api = api
        self.sourcePorts = sourcePorts
    }
}

extension AgentStatus {
    package static let conventionalFolder = "/run/martlet"

    /// The state file of the agent that owns a pin folder: the folder's path with dashes for slashes. A dash in the path
    /// is `%2d`, so that no two folders have one file.
    package static func path(for pinFolder: PinFolder, in stateFolder: String = conventionalFolder) -> String {
        fileName(for: pinFolder, in: stateFolder) + ".json"
    }

    /// Where it is remembered which ports the agent has had reserved.
    package static func portRecord(for pinFolder: PinFolder, in stateFolder: String = conventionalFolder) -> String {
        fileName(for: pinFolder, in: stateFolder) + ".ports"
    }

    private static func fileName(for pinFolder: PinFolder, in stateFolder: String) -> String {
        let name = pinFolder.path.map { character in
            switch character {
            case "/": "-"
            case "-": "%2d"
            case "%": "%25"
            default: String(character)
            }
        }.joined()
        return "\(stateFolder)/\(name)"
    }

    /// Writes the file at once as a whole: readers see the old one or the new one. The file is its owner's alone
    /// (0600), and so is the folder (0700), which is made if needed.
    package func write(for pinFolder: PinFolder, in stateFolder: String = conventionalFolder) throws(StateFileError) {
        let text: String
        do {
            text = try JSONText.encode(self)
        } catch {
            throw StateFileError(operation: "encode", path: stateFolder, reason: "\(error)")
        }
        do {
            try WholeFile.replace(Self.path(for: pinFolder, in: stateFolder), with: text)
        } catch {
            throw StateFileError(error)
        }
    }

    /// What the agent wrote last, whether or not it still runs; nil when there is no file.
    package static func read(
        for pinFolder: PinFolder, in stateFolder: String = conventionalFolder
    ) throws(StateFileError) -> AgentStatus? {
        let path = path(for: pinFolder, in: stateFolder)
        let text: String?
        do {
            text = try WholeFile.text(of: path)
        } catch {
            throw StateFileError(error)
        }
        guard let text else { return nil }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        do {
            return try decoder.decode(AgentStatus.self, from: Data(text.utf8))
        } catch {
            throw StateFileError(operation: "understand", path: path, reason: "\(error)")
        }
    }

    /// - Returns: the path, if there was a file.
    package static func remove(
        for pinFolder: PinFolder, in stateFolder: String = conventionalFolder
    ) throws(StateFileError) -> String? {
        let path = path(for: pinFolder, in: stateFolder)
        do {
            return try WholeFile.remove(path) ? path : nil
        } catch {
            throw StateFileError(error)
        }
    }
}
