// CLOCK_MONOTONIC as a number. Swift's clocks measure spans; this is for times that the kernel tells by the same clock.

import Glibc

package enum MonotonicTime {
    /// Nanoseconds since some moment before this start of the machine. Stands still while the machine is suspended.
    package static func now_ns() -> UInt64 {
        var time = timespec()
        // Cannot fail: the clock is there on every Linux, and the argument outlives the call.
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
