// What becomes of control characters in texts of others.

import Telemetry
import Testing

@Suite struct VisibleTextTests {
    @Test(
        "control characters are written out, and everything else stays",
        arguments: [
            ("web", "web"), ("", ""), ("größe 10 → 5 ✓ 👍", "größe 10 → 5 ✓ 👍"), ("a\nb", "a\\u000ab"),
            ("\u{1b}[2J", "\\u001b[2J"), ("a\r\nb", "a\\u000d\\u000ab"), ("\u{0}\t\u{7f}", "\\u0000\\u0009\\u007f"),
            ("\u{9b}31m", "\\u009b31m"), ("\u{202e}cba\u{2028}", "\\u202ecba\\u2028"), ("\\n", "\\n"),
        ])
    func visible(_ text: String, _ expected: String) {
        #expect(text.visible() == expected)
    }

    @Test("a text of several lines keeps them")
    func lines() {
        #expect("a\nb\r\n\u{1b}c\n".visible(keepsLines: true) == "a\nb\\u000d\n\\u001bc\n")
    }
}
