// The proof of the whole: the real programs on a cgroup of this process's own, and real loopback sockets that are sent
// elsewhere. Frontends are loopback addresses too, so that nothing leaves the machine if a hook does not work.

import BPF
import Datapath
import Glibc
import NetworkTypes
import SystemCalls

struct TranslationChecks {
    func findings() -> [Finding] {
        var findings: [Finding] = []
        do {
            let cookie = try InternetSocket(.udp, .ipv4).namespaceCookie()
            var datapath = try ScratchDatapath(hostNamespaceCookie: cookie)
            let cgroup = try ScratchCGroup()
            for hook in SocketHook.allCases { try datapath.attach(hook, cgroup: cgroup.path) }
            findings.append(
                Finding(.translation, "attaching", .ok, essential: true, "all hooks at a cgroup of this process's own"))
            try datapath.switchEventsOn()
            try cgroup.run {
                for family in AddressFamily.allCases where Self.isUsable(family) {
                    findings += Self.tryAll(&datapath, family)
                }
                findings.append(Self.bindProtection(datapath))
            }
            findings.append(Self.events(&datapath))
        } catch {
            findings.append(
                Finding(
                    .translation, "set-up", .missing, essential: true, "not tried: \(Finding.shortened("\(error)"))",
                    loss: "whether connections are translated is not known"))
        }
        return findings
    }

    static func tryAll(_ datapath: inout ScratchDatapath, _ family: AddressFamily) -> [Finding] {
        var findings = [connect(&datapath, family), datagrams(&datapath, family), refusal(&datapath, family)]
        if family == .ipv6 { findings.append(connect(&datapath, .ipv4, socketFamily: .ipv6)) }
        return findings
    }

    private static func isUsable(_ family: AddressFamily) -> Bool {
        (try? reservedAddress(.tcp, family)) != nil
    }

    /// connect, getpeername and release: there, named as dialled, and forgotten.
    private static func connect(
        _ datapath: inout ScratchDatapath, _ family: AddressFamily, socketFamily: AddressFamily? = nil
    ) -> Finding {
        let mapped = socketFamily == .ipv6 && family == .ipv4
        return .trying(
            .translation, "TCP over \(family)\(mapped ? " in an IPv6 socket" : "")", essential: !mapped,
            loss: "connections to services fail"
        ) {
            let listener = try InternetSocket(.tcp, family)
            try listener.bind(to: AddressAndPort(address: .loopback(family), port: 0))
            try listener.listen()
            let frontend = try reservedAddress(.tcp, family)
            try datapath.forward(frontend, .tcp, to: listener.localAddress())
            var client: InternetSocket? = try InternetSocket(.tcp, socketFamily ?? family)
            guard let cookie = try client?.cookie() else { throw WrongResult("no socket") }
            try client?.connect(to: frontend)
            _ = try listener.accept()
            let peer = try client?.peerAddress()
            guard peer == frontend else {
                throw WrongResult("getpeername shows \(peer.map(\.description) ?? "nothing")")
            }
            guard try datapath.remembers(socketCookie: cookie) else { throw WrongResult("no reverse state was kept") }
            client = nil
            guard try !datapath.remembers(socketCookie: cookie) else {
                throw WrongResult("the reverse state outlives its socket")
            }
            return "a connect to \(frontend) reached its backend, getpeername shows what was dialled"
        }
    }

    /// sendmsg and recvmsg of an unconnected socket.
    private static func datagrams(_ datapath: inout ScratchDatapath, _ family: AddressFamily) -> Finding {
        .trying(
            .translation, "UDP over \(family)", essential: true,
            loss: "resolvers and other UDP clients reach no service"
        ) {
            let server = try InternetSocket(.udp, family)
            try server.bind(to: AddressAndPort(address: .loopback(family), port: 0))
            let frontend = try reservedAddress(.udp, family)
            try datapath.forward(frontend, .udp, to: server.localAddress())
            let client = try InternetSocket(.udp, family)
            try client.send(to: frontend)
            try server.send(to: server.receive())
            let source = try client.receive()
            guard source == frontend else {
                throw WrongResult("the reply seems to come from \(source), not from \(frontend)")
            }
            return "a datagram to \(frontend) reached its backend, and the reply seems to come from there"
        }
    }

    /// A frontend that refuses, at an address where a listener would answer.
    private static func refusal(_ datapath: inout ScratchDatapath, _ family: AddressFamily) -> Finding {
        .trying(
            .translation, "refusing over \(family)", essential: true,
            loss: "clients of a service without endpoints see another error than ECONNREFUSED"
        ) {
            let listener = try InternetSocket(.tcp, family)
            try listener.bind(to: AddressAndPort(address: .loopback(family), port: 0))
            try listener.listen()
            try datapath.reject(listener.localAddress(), .tcp)
            do throws(SystemError) {
                try InternetSocket(.tcp, family).connect(to: listener.localAddress())
            } catch {
                guard error.errno == ECONNREFUSED else { throw error }
                return "a connect to a frontend that refuses got ECONNREFUSED"
            }
            throw WrongResult("the connect succeeded")
        }
    }

    private static func bindProtection(_ datapath: borrowing ScratchDatapath) -> Finding {
        .trying(
            .translation, "NodePort protection", otherwise: .degraded,
            loss: "a process of the node can bind to a NodePort's number, and will see no clients"
        ) {
            let address = AddressAndPort(
                address: IPAddress(ipv4: 0), port: try reservedAddress(.tcp, .ipv4).port)
            try InternetSocket(.tcp, .ipv4).bind(to: address)
            try datapath.protect(address.port, .tcp, .ipv4)
            do throws(SystemError) {
                try InternetSocket(.tcp, .ipv4).bind(to: address)
            } catch {
                guard error.errno == EADDRINUSE else { throw error }
                return "a bind to the port of a NodePort got EADDRINUSE"
            }
            throw WrongResult("the bind succeeded")
        }
    }

    private static func events(_ datapath: inout ScratchDatapath) -> Finding {
        .trying(.translation, "events", otherwise: .degraded, loss: "'martlet monitor' shows nothing") {
            let own = try datapath.collectEvents().filter { $0.outcome == .forwarded }
            guard let first = own.first else { throw WrongResult("none came for the connections that were made") }
            return "\(own.count) came, the first from \(first.command)[\(first.processID)]"
        }
    }

    /// A loopback address with a port that was free a moment ago, where nobody listens.
    private static func reservedAddress(
        _ kind: InternetSocket.Kind, _ family: AddressFamily
    ) throws(SystemError) -> AddressAndPort {
        let socket = try InternetSocket(kind, family)
        try socket.bind(to: AddressAndPort(address: .loopback(family), port: 0))
        return try socket.localAddress()
    }
}
