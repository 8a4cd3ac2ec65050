// From the kernel's number of a cgroup to its path, which no kernel interface answers from the outside.

package import BPF

package enum CGroupTree {
    /// The path of a cgroup, by walking the cgroup2 file system breadth-first; nil when it is not mounted, or has no
    /// such cgroup below the mount. Cost: one attempt to open for each name in each directory until it is found.
    package static func path(of id: UInt64) throws(BPFError) -> String? {
        guard id != 0, let root = try CGroup2.mountPoint() else { return nil }
        if try CGroup2.id(of: root) == id { return root }
        return first(below: root) { (try? CGroup2.id(of: $0)) == id }
    }

    /// The first cgroup below a path, breadth-first, that is as wanted.
    static func first(below root: String, where isWanted: (String) -> Bool) -> String? {
        var level = [root]
        while !level.isEmpty {
            var next: [String] = []
            for folder in level {
                for name in (try? BPFFileSystem.entries(at: folder)) ?? [] where !isControlFile(name) {
                    let path = "\(folder)/\(name)"
                    guard (try? CGroup2.id(of: path)) != nil else { continue }
                    if isWanted(path) { return path }
                    next.append(path)
                }
            }
            level = next
        }
        return nil
    }

    /// Files of controllers, which need not be opened to know that they are no cgroups. Unknown names are tried.
    private static func isControlFile(_ name: String) -> Bool {
        ["cgroup.", "cpu.", "cpuset.", "memory.", "io.", "pids.", "hugetlb.", "rdma.", "misc.", "irq."].contains {
            name.hasPrefix($0) && !name.contains(".slice") && !name.contains(".scope") && !name.contains(".service")
        }
    }
}
