// How much is told, and how often. The numbers are those of Kubernetes' own clients where they have one.

package struct EventLimits: Hashable, Sendable {
    /// Events that wait to be sent. What does not find room is dropped.
    package var queue = 256
    /// Events that are remembered, so that a repetition is counted; the one that was quiet for the longest goes first.
    package var remembered = 1024
    /// Objects whose number of events is limited.
    package var objects = 1024
    /// A repetition within this time belongs to the series of the event; after it there is a new event.
    package var quiet = Duration.seconds(360)
    /// How often the count of a series is brought up to date, its first repetition aside.
    package var refresh = Duration.seconds(60)
    /// Of one object: so many events at once, and one more each interval.
    package var burst = 25
    package var interval = Duration.seconds(300)

    package init() {}
}

/// What became of what was to be told.
package struct EventCounters: Hashable, Sendable {
    package enum Drop: String, Hashable, Sendable, CaseIterable {
        /// Too many about one object.
        case rate = "rate_limited"
        case queueFull = "queue_full"
        /// By the server.
        case refused
        /// The server could not be reached for too long.
        case unreachable
    }

    /// Events made, and changes of their series.
    package var created: UInt64 = 0
    package var updated: UInt64 = 0
    /// Repetitions that are counted in a series.
    package var repeated: UInt64 = 0
    package var dropped: [Drop: UInt64] = [:]

    package init() {}
}
