// Sends the agent's events as long as it runs.

import KubernetesEvents
import ServiceLifecycle

struct EventService: Service {
    let recorder: EventRecorder

    func run() async throws {
        await cancelWhenGracefulShutdown { await recorder.run() }
    }
}
