// How patient a reflector is, in one place with the reasons.

package struct ReflectorTiming: Hashable, Sendable {
    /// Objects of one page, as kube-proxy asks for.
    package var pageSize = 500
    /// How long the server should keep a watch open, chosen at random so that they do not all end at once.
    package var watchSeconds = 300...600
    /// Bookmarks come once a minute: when nothing at all came for this long, nobody is there any more.
    package var silence: Duration = .seconds(150)
    /// A watch that ends sooner is not asked for again at once.
    package var shortWatch: Duration = .seconds(1)
    /// After an outage of this length the server may be another one, restored from a copy, to which the version means
    /// nothing: a new list is asked for.
    package var longOutage: Duration = .seconds(60)
    /// For a type that the server does not have.
    package var absentPause: Duration = .seconds(300)
    /// A server may not keep us away for longer.
    package var longestRetryAfter: Duration = .seconds(120)
    /// How long the first programming waits for the Node once everything else is there: its zone would change every
    /// choice that topology hints have a say in.
    package var nodePatience: Duration = .seconds(2)

    package init() {}
}
