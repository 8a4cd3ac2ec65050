// What every process is asked for: time, memory, descriptors; under the names that all exporters have for them.

import Foundation
import Glibc
import SystemCalls
import Telemetry

enum ProcessMetrics {
    /// What cannot be read is left out.
    static func families() -> [MetricFamily] {
        let stat = Self.stat
        var families: [MetricFamily] = [
            MetricFamily(
                .gauge, "martlet_build_info", help: "1; the labels say which build this is.",
                samples: [MetricSample(1, labels: ["platform": platform, "version": Version.current])])
        ]
        func add(_ kind: MetricFamily.Kind, _ name: String, _ help: String, _ value: Double?) {
            guard let value else { return }
            families.append(MetricFamily(kind, name, help: help, samples: [MetricSample(value)]))
        }
        let ticks = Double(sysconf(CInt(_SC_CLK_TCK)))
        // The numbers of proc(5), less the three that `stat` leaves out.
        add(
            .counter, "process_cpu_seconds_total", "Time on CPUs, of the process and of the kernel for it.",
            stat.map { ($0[11] + $0[12]) / ticks })
        add(.gauge, "process_virtual_memory_bytes", "Address space in use.", stat.map { $0[20] })
        add(
            .gauge, "process_resident_memory_bytes", "Memory in use.",
            stat.map { $0[21] * Double(sysconf(CInt(_SC_PAGESIZE))) })
        add(
            .gauge, "process_start_time_seconds", "When the process started, since 1970.",
            stat.flatMap { stat in bootTime.map { $0 + stat[19] / ticks } })
        add(
            .gauge, "process_open_fds", "Open descriptors.",
            // One is that of the look itself.
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { Double($0.count - 1) })
        add(.gauge, "process_max_fds", "Descriptors that it may have.", descriptorLimit)
        return families
    }

    /// The fields of /proc/self/stat behind the state: the name before it may hold anything.
    private static var stat: [Double]? {
        guard let text = text(of: "/proc/self/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let words = text[end...].split(whereSeparator: \.isWhitespace).dropFirst(1)
        let numbers = words.enumerated().map { index, word in index == 0 ? 0 : Double(word) ?? 0 }
        return numbers.count > 21 ? numbers : nil
    }

    private static var bootTime: Double? {
        text(of: "/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }
            .flatMap { Double($0.dropFirst("btime ".count)) }
    }

    private static var descriptorLimit: Double? {
        text(of: "/proc/self/limits")?.split(separator: "\n").first { $0.hasPrefix("Max open files") }
            .flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst(3).first }
            .flatMap { $0 == "unlimited" ? Double.infinity : Double($0) }
    }

    private static func text(of path: String) -> String? {
        (try? WholeFile.bytes(of: path)).map { String(decoding: $0, as: UTF8.self) }
    }

    private static var platform: String {
        #if arch(x86_64)
            "linux/amd64"
        #elseif arch(arm64)
            "linux/arm64"
        #else
            "linux"
        #endif
    }
}
