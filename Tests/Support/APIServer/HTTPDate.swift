// The Date header, and the time of the host's clock.

import APIServerState
import Foundation

enum HTTPDate {
    /// Seconds since 1970.
    static func seconds() -> Int64 {
        Int64(Date().timeIntervalSince1970)
    }

    /// `Sat, 21 Nov 2026 09:13:06 GMT`.
    static func now() -> String {
        let seconds = seconds()
        let text = Timestamp(seconds: seconds).text()
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(seconds / 86400 % 7)]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = months[(Int(text.dropFirst(5).prefix(2)) ?? 1) - 1]
        return
            "\(weekday), \(text.dropFirst(8).prefix(2)) \(month) \(text.prefix(4)) \(text.dropFirst(11).prefix(8)) GMT"
    }
}
