// Whether the verifier admits each program of the datapath, asked one by one, so that one refusal does not hide the
// rest.

import BPF
import Datapath

struct ProgramChecks {
    func findings() -> [Finding] {
        SocketHook.allCases.map { hook in
            .trying(.programs, hook.rawValue, essential: true, loss: "the datapath cannot be installed without it") {
                let info = try ScratchDatapath.tryLoading(hook)
                return "loaded; the verifier went through \(info.verifiedInstructions) instructions"
            }
        }
    }
}
