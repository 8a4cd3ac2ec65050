// From a document to facts: which kind it is, whether that concerns a proxy, and the items of Lists. What each kind
// holds is read in the decoder of the kind; nothing here throws, since one bad object must not hide the others (INV-8).

package enum ObjectDecoder {
    /// Everything that one document of a manifest holds: an object, the items of a List, or nothing (an empty document,
    /// a kind that proxies do not read). `place` names the document in problems until an object's name is known.
    package static func decode(document: FieldValue, place: String) -> [DecodedObject] {
        guard document != .null else { return [] }
        do throws(FieldProblem) {
            guard case .object = document else { throw document.mismatch("", wanted: .object) }
            let type = try ObjectType(of: document)
            guard let itemType = type.listed else { return decode(document, type, place: place).map { [$0] } ?? [] }
            return try decode(items: document, itemType, place: place)
        } catch {
            return [unusable(document, error, place: place)]
        }
    }

    /// One object of a known kind, such as an item of an API list, which says neither kind nor apiVersion.
    package static func decode(_ object: FieldValue, as kind: FactKind, place: String) -> DecodedObject {
        var identity: ObjectIdentity?
        var found: [FieldProblem] = []
        do throws(FieldProblem) {
            guard case .object = object else { throw object.mismatch("", wanted: .object) }
            var metadata = try ObjectMetadata(of: object, kind: kind)
            identity = metadata.identity
            try metadata.readDetails(nameLimit: kind.nameLimit)
            found = metadata.problems
            let fact = try fact(object, metadata, &found)
            let outcome: DecodedObject.Outcome = fact.map { .fact($0) } ?? .nothing(metadata.identity)
            return DecodedObject(outcome: outcome, problems: found.map { $0.of("\(metadata.identity)") })
        } catch {
            let object = identity.map { "\($0)" } ?? "\(kind.rawValue) in \(place)"
            let culprit: DecodedObject.Culprit = identity.map { .object($0) } ?? .nameless
            return DecodedObject(
                outcome: .unusable(culprit, error.of(object)), problems: found.map { $0.of(object) })
        }
    }

    private static func fact(
        _ object: FieldValue, _ metadata: ObjectMetadata, _ problems: inout [FieldProblem]
    ) throws(FieldProblem) -> Fact? {
        switch metadata.identity.kind {
        case .service: .service(try ServiceDecoder.decode(object, metadata, problems: &problems))
        case .endpointSlice:
            try EndpointSliceDecoder.decode(object, metadata, problems: &problems).map { .endpointSlice($0) }
        case .node: .node(try NodeDecoder.decode(object, metadata, problems: &problems))
        case .serviceCIDR: .serviceCIDR(try ServiceCIDRDecoder.decode(object, metadata, problems: &problems))
        }
    }

    /// Items of a `ServiceList` and the like need not say their kind; those of a v1 `List` must.
    private static func decode(
        items document: FieldValue, _ itemType: ObjectType.Listed, place: String
    ) throws(FieldProblem) -> [DecodedObject] {
        try document.array("items").enumerated().compactMap { index, item in
            var decoded = decode(item: item, itemType, place: "\(place), items[\(index)]")
            decoded?.item = index
            return decoded
        }
    }

    private static func decode(item: FieldValue, _ itemType: ObjectType.Listed, place: String) -> DecodedObject? {
        do throws(FieldProblem) {
            guard case .object = item else { throw item.mismatch("", wanted: .object) }
            if let kind = itemType.kind, item["kind"] == nil { return decode(item, as: kind, place: place) }
            let type = try ObjectType(of: item)
            guard type.listed == nil else { throw FieldProblem("kind", "a List within a List is not read") }
            return decode(item, type, place: place)
        } catch {
            return unusable(item, error, place: place)
        }
    }

    /// Nil when the kind does not concern a proxy.
    private static func decode(_ object: FieldValue, _ type: ObjectType, place: String) -> DecodedObject? {
        switch type.concern {
        case .fact(let kind): decode(object, as: kind, place: place)
        case .ignored: nil
        case .unknown(let problem): unusable(object, problem, place: place)
        }
    }

    /// An object whose kind or version is not what it should be: its name may still say which facts are in question.
    private static func unusable(_ object: FieldValue, _ problem: FieldProblem, place: String) -> DecodedObject {
        let culprit: DecodedObject.Culprit
        if let kind = try? object.string("kind").flatMap({ FactKind(rawValue: $0) }),
            let metadata = try? ObjectMetadata(of: object, kind: kind)
        {
            culprit = .object(metadata.identity)
        } else if let metadata = try? ObjectMetadata(of: object, kind: .service) {
            culprit = .named(metadata.identity.name)
        } else {
            culprit = .nameless
        }
        return DecodedObject(outcome: .unusable(culprit, problem.of(culprit.nameForMessages ?? place)))
    }
}

extension DecodedObject.Culprit {
    /// Nil when only the place in the document can tell which object is meant.
    fileprivate var nameForMessages: String? {
        switch self {
        case .object(let identity): "\(identity)"
        case .named(let name): "object \(name)"
        case .nameless: nil
        }
    }
}

extension FactKind {
    /// In bytes. Names of Services go into the datapath's records, which keep 64 bytes padded with NUL.
    fileprivate var nameLimit: Int {
        switch self {
        case .service: 63
        case .endpointSlice, .node, .serviceCIDR: 253
        }
    }
}
