// RFC 3339 times.

import ServiceModel
import Testing

@Suite struct TimestampTests {
    @Test(
        "valid times",
        arguments: [
            ("1970-01-01T00:00:00Z", Int64(0)), ("2000-02-29T12:34:56Z", 951_827_696),
            ("2026-11-21T10:00:00Z", 1_795_255_200),
            ("2026-11-21T10:00:00.123456789Z", 1_795_255_200), ("2026-11-21T12:00:00+02:00", 1_795_255_200),
            ("2026-11-21t05:30:00-04:30", 1_795_255_200), ("1969-12-31T23:59:59Z", -1),
            ("0000-01-01T00:00:00Z", -62_167_219_200),
            ("9999-12-31T23:59:59Z", 253_402_300_799), ("2016-12-31T23:59:60Z", 1_483_228_799),
            ("1900-03-01T00:00:00Z", -2_203_891_200),
        ])
    func valid(_ text: String, _ seconds: Int64) {
        #expect(Timestamp.secondsSince1970(text) == seconds)
    }

    @Test(
        "everything else is refused",
        arguments: [
            "", "2026-11-21", "2026-11-21T10:00:00", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
            "2026-11-31T00:00:00Z",
            "2026-11-21T24:00:00Z", "2026-11-21T10:00:00.Z", "2026-11-21T10:00:00+0200", "2026-11-21T10:00:00Zz",
            "2026-11-21T1x:00:00Z", "2026-00-21T10:00:00Z", "１970-01-01T00:00:00Z", "1900-02-29T00:00:00Z",
        ])
    func invalid(_ text: String) {
        #expect(Timestamp.secondsSince1970(text) == nil)
    }

    @Test("fractions count to the nanosecond, as far as 64 bits go")
    func nanoseconds() {
        #expect(Timestamp.nanosecondsSince1970("1970-01-01T00:00:01Z") == 1_000_000_000)
        #expect(Timestamp.nanosecondsSince1970("1970-01-01T00:00:01.5Z") == 1_500_000_000)
        #expect(Timestamp.nanosecondsSince1970("1970-01-01T01:00:01.000000007+01:00") == 1_000_000_007)
        #expect(Timestamp.nanosecondsSince1970("1970-01-01T00:00:00.1234567899Z") == 123_456_789)
        #expect(Timestamp.nanosecondsSince1970("1969-12-31T23:59:59.25Z") == -750_000_000)
        #expect(Timestamp.nanosecondsSince1970("2300-01-01T00:00:00Z") == nil)
        #expect(Timestamp.nanosecondsSince1970("soon") == nil)
    }

    @Test("what is written is read back, for every day of eight hundred years and at the ends of time")
    func roundTrip() {
        for day in stride(from: Int64(-146_097), through: 146_097, by: 1) {
            let seconds = day * 86400 + (day & 0xffff) % 86400
            #expect(Timestamp.text(secondsSince1970: seconds).flatMap(Timestamp.secondsSince1970) == seconds)
        }
        #expect(Timestamp.text(secondsSince1970: 951_782_399) == "2000-02-28T23:59:59Z")
        #expect(Timestamp.text(secondsSince1970: -62_167_219_200) == "0000-01-01T00:00:00Z")
        #expect(Timestamp.text(secondsSince1970: 253_402_300_799) == "9999-12-31T23:59:59Z")
        for seconds in [Int64.min, -62_167_219_201, 253_402_300_800, Int64.max] {
            #expect(Timestamp.text(secondsSince1970: seconds) == nil)
        }
    }
}
