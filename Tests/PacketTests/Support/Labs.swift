// The labs of a test run: one for each layout, made when the first test wants it. All packet tests run one after the
// other on one thread, which goes from lab to lab.

import HostCalls
import KernelTestSupport
import Synchronization
import Testing

/// All tests of packets are in here, so that they share labs.
@Suite("Packets", .serialized, .labs, .enabled(if: canUseKernel)) struct PacketTests {}

final class Labs {
    @TaskLocal static var current: Shared?
    private var labs: [Lab.Layout: Lab] = [:]

    func lab(_ layout: Lab.Layout) throws -> Lab {
        if let lab = labs[layout] {
            try lab.enter()
            return lab
        }
        let lab = try Lab(layout)
        labs[layout] = lab
        return lab
    }

    /// For one user at a time.
    final class Shared: Sendable {
        private let labs = Mutex<Labs?>(Labs())

        func use(_ layout: Lab.Layout, _ body: (Lab) throws -> Void) throws {
            try labs.withLock { labs in
                let lab = try #require(try labs?.lab(layout))
                try lab.startAfresh()
                try body(lab)
            }
        }

        func tearDown() { labs.withLock { $0 = nil } }
    }
}

struct LabsTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let thread = try OwnThread()
        defer { thread.finish() }
        let labs = Labs.Shared()
        defer { labs.tearDown() }
        try await withTaskExecutorPreference(thread) {
            try await Labs.$current.withValue(labs) { try await function() }
        }
    }
}

extension Trait where Self == LabsTrait {
    /// The tests inside get labs from `withLab`.
    static var labs: Self { LabsTrait() }
}

/// Uses the lab of a layout, with nothing served and no flows.
func withLab(_ layout: Lab.Layout = Lab.Layout(), _ body: (Lab) throws -> Void) throws {
    let labs = try #require(Labs.current)
    try labs.use(layout, body)
}
