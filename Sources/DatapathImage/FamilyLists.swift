// The backend lists of one family of a plan, acquired when the first frontend needs them and shared by all of them.

import CDatapathABI
import LoadBalancing
import ServiceModel

struct FamilyLists {
    private let plan: ServicePortPlan
    private let family: FamilyPlan
    private var cluster: Result<BackendSpace.Reference, FrontendFailure.Reason>?
    private var local: Result<BackendSpace.Reference, FrontendFailure.Reason>?

    init(plan: ServicePortPlan, family: FamilyPlan) {
        self.plan = plan
        self.family = family
    }

    /// What a disposition is in the map. A list without backends is refused: there is nothing to choose from.
    mutating func choice(
        _ disposition: FrontendPlan.Disposition, _ space: inout BackendSpace
    ) throws(FrontendFailure.Reason) -> (choice: dp_choice, reference: BackendSpace.Reference) {
        switch disposition {
        case .cluster where !family.cluster.isEmpty:
            let result = cluster ?? acquire(family.cluster, &space)
            cluster = result
            return try Self.forward(result, space)
        case .local where !family.local.isEmpty:
            let result = local ?? acquire(family.local, &space)
            local = result
            return try Self.forward(result, space)
        case .cluster, .local, .reject:
            return Self.refuse(DP_ACTION_REJECT)
        case .drop:
            return Self.refuse(DP_ACTION_DROP)
        }
    }

    /// Lets go of the lists; those that no frontend took are gone.
    mutating func end(_ space: inout BackendSpace) {
        for (result, list) in [(cluster, family.cluster), (local, family.local)] {
            guard case .success(let reference)? = result else { continue }
            space.setTraits(list, of: reference)
            space.release(reference)
        }
        cluster = nil
        local = nil
    }

    private func acquire(
        _ list: [Backend], _ space: inout BackendSpace
    ) -> Result<BackendSpace.Reference, FrontendFailure.Reason> {
        Result { () throws(FrontendFailure.Reason) in
            try space.acquire(list, protocol: plan.name.protocolKind, byTable: plan.algorithm == .maglev || plan.isDSR)
        }
    }

    private static func forward(
        _ result: Result<BackendSpace.Reference, FrontendFailure.Reason>, _ space: BackendSpace
    ) throws(FrontendFailure.Reason) -> (choice: dp_choice, reference: BackendSpace.Reference) {
        let reference = try result.get()
        return (space.choice(reference), reference)
    }

    private static func refuse(_ action: dp_action) -> (choice: dp_choice, reference: BackendSpace.Reference) {
        var choice = dp_choice()
        choice.action = UInt8(action.rawValue)
        return (choice, BackendSpace.Reference())
    }
}
