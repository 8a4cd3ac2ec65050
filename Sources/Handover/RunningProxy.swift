// Whether kube-proxy runs, as far as processes are visible here: in a pod without the node's process namespace they are
// not.

import SystemCalls

package enum RunningProxy {
    /// The kernel's name of the process: the program's, without its path.
    private static let name = "kube-proxy"

    /// - Returns: the number of a process.
    package static func find() -> Int32? {
        let names = (try? Directory.names(in: "/proc")) ?? []
        return names.lazy.compactMap { Int32(String(decoding: $0, as: UTF8.self)) }.first { number in
            guard let text = try? WholeFile.text(of: "/proc/\(number)/comm") else { return false }
            return text.prefix { !$0.isNewline } == name
        }
    }
}
