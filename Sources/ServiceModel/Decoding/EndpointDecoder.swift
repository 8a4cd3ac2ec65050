// One endpoint of a slice. Its first address counts (EP-8); unset conditions have their defaults (EP-9).

import NetworkTypes

enum EndpointDecoder {
    /// Nil, and a problem, when the endpoint has no usable address: the rest of the slice still counts (INV-6).
    static func decode(
        _ entry: FieldValue, family: AddressFamily, problems: inout [FieldProblem]
    ) throws(FieldProblem) -> Endpoint? {
        guard case .object = entry else { throw entry.mismatch("", wanted: .object) }
        let texts = try entry.strings("addresses")
        let address: IPAddress
        do throws(FieldProblem) {
            address = try usableAddress(texts, family)
        } catch {
            problems.append(error)
            return nil
        }
        let nodeName = try entry.string("nodeName")
        var endpoint = Endpoint(address: address, nodeName: nodeName?.isEmpty == true ? nil : nodeName)
        if let conditions = try entry.object("conditions") {
            do throws(FieldProblem) {
                endpoint.isReady = try conditions.bool("ready") ?? true
                endpoint.isServing = try conditions.bool("serving") ?? true
                endpoint.isTerminating = try conditions.bool("terminating") ?? false
            } catch {
                throw error.under("conditions")
            }
        }
        if let hints = try entry.object("hints") {
            do throws(FieldProblem) {
                endpoint.zoneHints = try names("forZones", hints)
                endpoint.nodeHints = try names("forNodes", hints)
            } catch {
                throw error.under("hints")
            }
        }
        return endpoint
    }

    /// Throws what makes the first address unusable. Loopback and link-local addresses are the writer's business.
    private static func usableAddress(_ texts: [String], _ family: AddressFamily) throws(FieldProblem) -> IPAddress {
        guard let text = texts.first else { throw FieldProblem("addresses", "is empty; the endpoint is skipped") }
        let field = "addresses[0]"
        guard let address = IPAddress(text) else {
            throw FieldProblem(field, "\(FieldValue.quoted(text)) is not an IP address; the endpoint is skipped")
        }
        guard address.family == family else {
            throw FieldProblem(
                field, "\(address) is not an \(family) address, as addressType says; the endpoint is skipped")
        }
        guard address.isHost else {
            throw FieldProblem(field, "\(address) is not the address of a host; the endpoint is skipped")
        }
        return address
    }

    private static func names(_ key: String, _ hints: FieldValue) throws(FieldProblem) -> [String] {
        try hints.mapArray(key) { (hint) throws(FieldProblem) in
            guard case .object = hint else { throw hint.mismatch("", wanted: .object) }
            return try hint.string("name") ?? ""
        }
    }
}
