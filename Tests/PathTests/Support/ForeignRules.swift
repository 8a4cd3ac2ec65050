// Rules that somebody else has on a node: an nftables table, and what its counters say.

import HostCalls
import World

extension Site {
    /// Has the first node's network namespace obey these rules.
    func addRules(_ text: String) throws {
        let file = try world.write(text, to: "rules-\(UInt32.random(in: 0...UInt32.max)).nft")
        let result = try near.run("/usr/sbin/nft", ["-f", file])
        guard result.status == .exited(0) else { throw SiteError(description: "nft: \(result.errorOutput)") }
    }

    /// The packets that a named counter of `table inet watch` has counted.
    func packets(_ counter: String) throws -> Int {
        let result = try near.run("/usr/sbin/nft", ["list", "counter", "inet", "watch", counter])
        let words = result.output.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let place = words.firstIndex(of: "packets"), let count = Int(words[place + 1]) else {
            throw SiteError(description: "no counter \(counter): \(result.output)\(result.errorOutput)")
        }
        return count
    }
}
