// A set of ports, as the kernel writes and reads it in ip_local_reserved_ports: `8080,61000-65535`.

package struct PortRanges: Hashable, Sendable {
    /// Ascending, apart from each other by at least one port.
    package private(set) var ranges: [ClosedRange<UInt16>]

    package init(_ ranges: [ClosedRange<UInt16>] = []) {
        self.ranges = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = self.ranges.last, Int(range.lowerBound) <= Int(last.upperBound) + 1 {
                self.ranges[self.ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                self.ranges.append(range)
            }
        }
    }

    /// Reads the kernel's form, in any order and with white space around; nil for anything else.
    package init?(_ text: String) {
        let trimmed = text.filter { !$0.isWhitespace }
        var ranges: [ClosedRange<UInt16>] = []
        for part in trimmed.split(separator: ",") {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
            guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1], first <= last
            else { return nil }
            ranges.append(first...last)
        }
        self.init(ranges)
    }

    package var isEmpty: Bool { ranges.isEmpty }

    package func union(_ other: PortRanges) -> PortRanges { PortRanges(ranges + other.ranges) }

    package func subtracting(_ other: PortRanges) -> PortRanges {
        var rest = ranges
        for taken in other.ranges {
            rest = rest.flatMap { range -> [ClosedRange<UInt16>] in
                guard range.overlaps(taken) else { return [range] }
                var parts: [ClosedRange<UInt16>] = []
                if range.lowerBound < taken.lowerBound { parts.append(range.lowerBound...taken.lowerBound - 1) }
                if range.upperBound > taken.upperBound { parts.append(taken.upperBound + 1...range.upperBound) }
                return parts
            }
        }
        return PortRanges(rest)
    }

    package func intersection(_ other: PortRanges) -> PortRanges { subtracting(subtracting(other)) }
}

extension PortRanges: CustomStringConvertible {
    package var description: String {
        ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
    }
}
