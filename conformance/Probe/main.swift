// martlet-probe: one process that plays a pod, a client or a host program of the test world. It enters the network
// namespace and cgroup it is told, then either serves requests from its standard input until that ends, or (exec)
// becomes another program there. It decides nothing about tests.
//
//   martlet-probe [--netns PATH] [--cgroup PATH] [--set NAME=VALUE]…
//   martlet-probe exec [--netns PATH] [--cgroup PATH] -- PROGRAM [ARGUMENT]…

import Glibc
import HostCalls

func complain(_ message: String) {
    try? Descriptor.standardError.write(Array("martlet-probe: \(message)\n".utf8))
}

guard let arguments = ProbeArguments(parsing: Array(CommandLine.arguments.dropFirst())) else {
    complain(ProbeArguments.usage)
    exit(2)
}
do {
    try arguments.enclosure.enter()
    if let program = arguments.program {
        try replaceProcess(program[0], arguments: program)
    } else {
        try RequestLoop().run()
    }
} catch {
    complain("\(error)")
    exit(1)
}
