// Paths taken apart as text.

import SystemCalls
import Testing

@Suite struct PathPartsTests {
    @Test(
        "a path is its last component and the folder that holds it",
        arguments: [
            ("/etc/martlet", "martlet", "/etc"), ("/etc/martlet/", "martlet", "/etc"), ("etc/m", "m", "etc"),
            ("/m", "m", "/"), ("a//b", "b", "a"), ("./m", "m", "."), ("../m", "m", ".."), ("m", "m", "."),
            ("m/", "m", "."), (".", ".", "."), ("./", ".", "."), ("/", "/", "/"), ("//", "/", "/"), ("", "", "."),
        ])
    func parts(_ path: String, _ name: String, _ folder: String) {
        let parts = PathParts(path)
        #expect(parts.name == name && parts.folder == folder)
    }
}
