// Versions of objects and lists. Opaque, but since KEP-5504 decimal numbers of one resource are promised to be in order;
// what is no number is never taken for older than anything.

enum ResourceVersion {
    static func isOlder(_ one: String, than other: String) -> Bool {
        guard let one = UInt64(one), let other = UInt64(other) else { return false }
        return one < other
    }
}
