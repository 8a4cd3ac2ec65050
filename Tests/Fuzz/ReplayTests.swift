// Every seed of the fuzzer and every input that once broke something, again.

import Foundation
import Testing

@Suite struct ReplayTests {
    private static func inputs() throws -> [URL] {
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return try ["corpus", "found"].flatMap { folder in
            try FileManager.default.contentsOfDirectory(
                at: here.appendingPathComponent(folder), includingPropertiesForKeys: nil)
        }
    }

    @Test("seeds and former crashes are read without trapping, and the results agree", .timeLimit(.minutes(2)))
    func replay() throws {
        let inputs = try Self.inputs()
        #expect(inputs.count > 5)
        for input in inputs {
            let bytes = [UInt8](try Data(contentsOf: input))
            #expect(ManifestCheck.complaint(about: bytes) == nil, "\(input.lastPathComponent)")
            // Cut anywhere, as when a writer is interrupted.
            for end in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 50)) {
                #expect(
                    ManifestCheck.complaint(about: Array(bytes[..<end])) == nil, "\(input.lastPathComponent):\(end)")
            }
        }
    }
}
