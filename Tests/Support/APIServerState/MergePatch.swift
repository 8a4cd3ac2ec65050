// Patches of objects: JSON merge patches (RFC 7386), and Kubernetes' strategic merge patches by the tables of the types,
// as far as `kubectl apply`, `label`, `annotate` and `patch` use them: lists merged by key, `$patch: delete` and
// `replace`, `$retainKeys`, `$deleteFromPrimitiveList` and `$setElementOrder`.

package enum MergePatch {
    package static func merge(_ patch: JSON, into target: JSON) -> JSON {
        guard case .object(let changes) = patch else { return patch }
        var result = target.object ?? JSONObject()
        for member in changes.members {
            result[member.name] =
                member.value.isNull ? nil : merge(member.value, into: result[member.name] ?? .null)
        }
        return .object(result)
    }

    package static func strategic(_ patch: JSON, into target: JSON, as message: Message) -> JSON {
        guard case .object(let changes) = patch else { return patch }
        if changes["$patch"] == "replace" { return .object(withoutDirectives(changes)) }
        var result = target.object ?? JSONObject()
        if let kept = changes["$retainKeys"]?.strings {
            result.members.removeAll { !kept.contains($0.name) }
        }
        for member in changes.members where !member.name.hasPrefix("$") {
            if member.value.isNull {
                result[member.name] = nil
                continue
            }
            let present = result[member.name] ?? .null
            result[member.name] = merged(member.value, into: present, message.field(member.name))
        }
        for member in changes.members where member.name.hasPrefix("$deleteFromPrimitiveList/") {
            let name = String(member.name.dropFirst("$deleteFromPrimitiveList/".count))
            let gone = member.value.array ?? []
            result[name] = .array((result[name]?.array ?? []).filter { !gone.contains($0) })
        }
        for member in changes.members where member.name.hasPrefix("$setElementOrder/") {
            let name = String(member.name.dropFirst("$setElementOrder/".count))
            if let list = result[name]?.array {
                result[name] = .array(ordered(list, by: member.value.array ?? [], message.field(name)))
            }
        }
        return .object(result)
    }

    private static func withoutDirectives(_ object: JSONObject) -> JSONObject {
        JSONObject(object.members.filter { !$0.name.hasPrefix("$") })
    }

    private static func merged(_ patch: JSON, into target: JSON, _ field: Field?) -> JSON {
        guard let field else { return merge(patch, into: target) }
        switch (field.type, field.merge) {
        case (.message(let message), _): return strategic(patch, into: target, as: message)
        case (.map, _): return merge(patch, into: target)
        case (.list(.message(let message)), .byKey(let key)):
            return .array(mergedList(patch.array ?? [], into: target.array ?? [], key, message))
        case (.list, .byValue):
            let present = target.array ?? []
            return .array(present + (patch.array ?? []).filter { !present.contains($0) })
        case (.list, _), (.string, _), (.bool, _), (.integer, _), (.time, _), (.microTime, _), (.integerOrString, _),
            (.quantity, _), (.raw, _):
            return patch
        }
    }

    private static func mergedList(_ patches: [JSON], into list: [JSON], _ key: String, _ message: Message) -> [JSON] {
        if patches.contains(where: { $0["$patch"] == "replace" }) {
            return patches.filter { $0["$patch"] == nil }
        }
        var result = list
        for patch in patches {
            let index = result.firstIndex { $0[key] == patch[key] }
            if patch["$patch"] == "delete" {
                if let index { result.remove(at: index) }
            } else if let index {
                result[index] = strategic(patch, into: result[index], as: message)
            } else {
                result.append(strategic(patch, into: .object(JSONObject()), as: message))
            }
        }
        return result
    }

    private static func ordered(_ list: [JSON], by order: [JSON], _ field: Field?) -> [JSON] {
        func place(_ element: JSON) -> Int {
            let place =
                if case .byKey(let key)? = field?.merge {
                    order.firstIndex { $0[key] == element[key] }
                } else {
                    order.firstIndex(of: element)
                }
            return place ?? order.count
        }
        let placed = list.enumerated().map { (place: place($0.element), index: $0.offset, element: $0.element) }
        return placed.sorted { ($0.place, $0.index) < ($1.place, $1.index) }.map(\.element)
    }
}
