// libFuzzer's entry: each input is the text of a manifest file, and of a configuration file. Built by `run`, not by
// SwiftPM.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer owns the bytes for the length of this call only; they are copied.
    let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    if let complaint = ManifestCheck.complaint(about: bytes) { fatalError(complaint) }
    return 0
}
