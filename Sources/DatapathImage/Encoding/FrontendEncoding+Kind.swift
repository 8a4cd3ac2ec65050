// Reading and making values of `frontends` in terms of the enumerations of bpf/abi/types.h.

package import CDatapathABI

extension FrontendRecord {
    /// One of dp_frontend_kind, or a number that is none.
    package var kind: dp_frontend_kind { dp_frontend_kind(UInt32(fields.kind)) }

    /// Zero for a wildcard.
    package var serviceID: UInt32 { fields.service_id }

    /// What is left of a DSR frontend that has gone: nothing begins there, and connections go on to whom they belonged to
    /// before. It belongs to no service port: id 0.
    func left(previous: dp_choice) -> Self {
        var record = dp_frontend()
        record.kind = fields.kind
        record.affinity_timeout_s = fields.affinity_timeout_s
        record.internal.action = UInt8(DP_ACTION_REJECT.rawValue)
        record.external.action = UInt8(DP_ACTION_REJECT.rawValue)
        var left = Self(record)
        left.setPrevious(previous)
        return left
    }

    /// Any unused port of a virtual address is refused, for everybody (SVC-12) or for outside clients only. It belongs
    /// to no service port: id 0.
    static func wildcard(outsideOnly: Bool) -> Self {
        var record = dp_frontend()
        if outsideOnly { record.flags = UInt16(DP_FRONTEND_OUTSIDE_ONLY.rawValue) }
        record.kind = UInt8(DP_FRONTEND_WILDCARD.rawValue)
        record.internal.action = UInt8(DP_ACTION_REJECT.rawValue)
        record.external.action = UInt8(DP_ACTION_REJECT.rawValue)
        return Self(record)
    }
}
