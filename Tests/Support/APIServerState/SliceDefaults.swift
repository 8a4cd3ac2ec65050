// The API server's defaults of an EndpointSlice: each port has a name, a protocol.

enum SliceDefaults {
    static func apply(to slice: JSON) -> JSON {
        guard let ports = slice["ports"]?.array else { return slice }
        var result = slice
        result["ports"] = .array(
            ports.map { port in
                var port = port
                if port["name"] == nil { port["name"] = "" }
                if port["protocol"] == nil { port["protocol"] = "TCP" }
                return port
            })
        return result
    }
}
