// SIGHUP, which terminals send when they go away and supervisors to have files read again.

import Glibc

package enum HangUp {
    /// From now on the signal does nothing in this process; without that it would end it.
    package static func ignore() {
        _ = signal(SIGHUP, SIG_IGN)
    }
}
