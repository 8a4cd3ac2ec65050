// RFC 3339 times, as `metadata.creationTimestamp` holds them, to seconds since 1970. Fractions are read and dropped.

package enum Timestamp {
    /// Nil for anything that is not an RFC 3339 date and time. A leap second counts as the second before it.
    package static func secondsSince1970(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 40, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] | 0x20 == UInt8(ascii: "t"), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let year = number(bytes[0..<4]), let month = number(bytes[5..<7]), let day = number(bytes[8..<10]),
            let hour = number(bytes[11..<13]), let minute = number(bytes[14..<16]), let second = number(bytes[17..<19]),
            (1...12).contains(month), day >= 1, day <= daysIn(month, of: year), hour < 24, minute < 60, second <= 60,
            let offset = offsetSeconds(bytes[19...])
        else { return nil }
        let time = Int64(hour * 3600 + minute * 60 + min(second, 59))
        return daysSince1970(year, month, day) * 86400 + time - offset
    }

    /// With the fraction, as far as nanoseconds go. Nil also for times that 64 bits have no room for: before 1678 and after
    /// 2262.
    package static func nanosecondsSince1970(_ text: String) -> Int64? {
        guard let seconds = secondsSince1970(text) else { return nil }
        let rest = text.utf8.dropFirst(19)
        let digits = rest.first == UInt8(ascii: ".") ? rest.dropFirst().prefix { isDigit($0) }.prefix(9) : ""[...].utf8
        let written = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        let fraction = (digits.count..<9).reduce(written) { value, _ in value * 10 }
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isTooMuch) = whole.addingReportingOverflow(fraction)
        return overflow || isTooMuch ? nil : sum
    }

    /// The other way round, in UTC and without fractions: `2026-01-31T12:00:00Z`. Nil outside the years 0…9999, for
    /// which RFC 3339 has no text.
    package static func text(secondsSince1970 seconds: Int64) -> String? {
        guard (-62_167_219_200..<253_402_300_800).contains(seconds) else { return nil }
        // From 0000-03-01 on, in eras of 400 years of 146,097 days: years that begin in March end with the leap day.
        let fromMarch = Int(seconds) + 719_468 * 86400
        let time = (fromMarch % 86400 + 86400) % 86400
        let days = (fromMarch - time) / 86400
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let day = days - era * 146_097
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * year + year / 4 - year / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let calendarYear = padded(year + era * 400 + (month <= 2 ? 1 : 0), to: 4)
        let date =
            "\(calendarYear)-\(padded(month, to: 2))-\(padded(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1, to: 2))"
        return date + "T\(padded(time / 3600, to: 2)):\(padded(time / 60 % 60, to: 2)):\(padded(time % 60, to: 2))Z"
    }

    private static func padded(_ number: Int, to digits: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// Reads `.123Z` or `+02:00`: an optional fraction and the zone.
    private static func offsetSeconds(_ text: ArraySlice<UInt8>) -> Int64? {
        var rest = text
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { isDigit($0) }
            guard !digits.isEmpty else { return nil }
            rest = rest[digits.endIndex...]
        }
        guard let sign = rest.first else { return nil }
        if sign | 0x20 == UInt8(ascii: "z") { return rest.count == 1 ? 0 : nil }
        let zone = Array(rest.dropFirst())
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), zone.count == 5, zone[2] == UInt8(ascii: ":"),
            let hours = number(zone[0..<2]), let minutes = number(zone[3..<5]), hours < 24, minutes < 60
        else { return nil }
        return Int64(hours * 3600 + minutes * 60) * (sign == UInt8(ascii: "+") ? 1 : -1)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    /// Only for a few digits, so that nothing can overflow.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard digits.allSatisfy(isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private static func isLeap(_ year: Int) -> Bool {
        year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
    }

    private static func daysIn(_ month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days of the proleptic Gregorian calendar. Counting years from March puts the leap day at the end of the year.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
        let years = month <= 2 ? year - 1 : year
        let monthsFromMarch = (month + 9) % 12
        let daysBeforeMonth = (153 * monthsFromMarch + 2) / 5
        let leapDays = years / 4 - years / 100 + years / 400
        // 719468 days lie between 0000-03-01 and 1970-01-01. Year 0 with month 1 or 2 gives -1, whose divisions round
        // to 0.
        let correction = years < 0 ? 1 : 0
        return Int64(years * 365 + leapDays - correction + daysBeforeMonth + day - 1 - 719_468)
    }
}
