// One cluster for all tests of a suite: making one takes a second, most behaviours need a few milliseconds of it. The
// suite is serialized, its tests use services of their own, and everything runs on a thread that may block.

import HostCalls
import Synchronization
import Testing
import World

/// A cluster with its world, for one user at a time.
final class SharedCluster: Sendable {
    @TaskLocal static var current: SharedCluster?

    private struct Parts {
        let world: World
        let cluster: Cluster
    }

    private let parts: Mutex<Parts?>

    init(_ layout: Cluster.Layout) throws {
        parts = Mutex(nil)
        try parts.withLock { parts in
            let world = try World()
            do {
                parts = Parts(world: world, cluster: try Cluster(layout, in: world))
            } catch {
                try? world.tearDown()
                throw error
            }
        }
    }

    func use(_ body: @Sendable (Cluster) throws -> Void) throws {
        try parts.withLock { parts in
            guard let parts else { throw ClusterError(description: "the suite's cluster is gone") }
            parts.cluster.startAfresh()
            try body(parts.cluster)
        }
    }

    func tearDown() throws {
        try parts.withLock { parts in
            defer { parts = nil }
            try parts?.world.tearDown()
        }
    }
}

/// Gives the tests of a suite one cluster.
struct SharedClusterTrait: SuiteTrait, TestScoping {
    let layout: Cluster.Layout

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let thread = try OwnThread()
        defer { thread.finish() }
        try await withTaskExecutorPreference(thread) {
            let shared = try SharedCluster(layout)
            do {
                try await SharedCluster.$current.withValue(shared) { try await function() }
            } catch {
                try? shared.tearDown()
                throw error
            }
            try shared.tearDown()
        }
    }
}

extension Trait where Self == SharedClusterTrait {
    /// The suite's tests share one cluster, which they get from `withCluster`.
    static func cluster(_ layout: Cluster.Layout = Cluster.Layout()) -> Self {
        SharedClusterTrait(layout: layout)
    }
}

/// Uses the suite's cluster.
func withCluster(_ body: @Sendable (Cluster) throws -> Void) throws {
    guard let shared = SharedCluster.current else {
        throw ClusterError(description: "the suite has no cluster; give it the trait .cluster()")
    }
    try shared.use(body)
}

/// Makes a cluster for one test alone.
func withOwnCluster(_ layout: Cluster.Layout = Cluster.Layout(), _ body: @Sendable (Cluster) throws -> Void)
    async throws
{
    try await withWorld { world in try body(try Cluster(layout, in: world)) }
}
