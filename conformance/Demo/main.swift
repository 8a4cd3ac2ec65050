// `make demo`: the main job, shown. Everything happens in namespaces and a cgroup of its own, with real servers, real
// clients and the real agent; nothing is left behind. Any expectation that is not met ends it with exit status 1.

import Foundation
import World

do {
    try await withWorld { world in
        let stage = try Stage(world)
        try stage.startAgent()
        try stage.showFrontends()
        try stage.showEndpointRemoval()
        try stage.showAgentKilled()
        try stage.showTables()
    }
    say("\nEvery step did what it should. Nothing is left behind.")
} catch {
    say("\nThe demo failed: \(error)")
    exit(1)
}
