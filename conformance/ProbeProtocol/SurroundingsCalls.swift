// Calls about the probe's own surroundings: kernel settings of its network namespace.

/// Writes a setting under /proc/sys, such as "net.ipv4.ip_forward". Dots separate folders, as sysctl has it; a
/// slash stands for a dot within a name.
package struct SetSetting: ProbeCall {
    package static let name = "setSetting"
    package typealias Reply = Done
    package let setting: String
    package let value: String

    package init(setting: String, value: String) {
        self.setting = setting
        self.value = value
    }
}

/// Reads a setting, without the final newline.
package struct ReadSetting: ProbeCall {
    package static let name = "readSetting"
    package let setting: String
    package init(setting: String) { self.setting = setting }

    package struct Reply: Codable, Sendable {
        package let value: String
        package init(value: String) { self.value = value }
    }
}

/// Turns an interface's transmit checksum offload on or off.
package struct SetChecksumOffload: ProbeCall {
    package static let name = "setChecksumOffload"
    package typealias Reply = Done
    package let interface: String
    package let on: Bool

    package init(interface: String, on: Bool) {
        self.interface = interface
        self.on = on
    }
}

/// Waits until IPv6 addresses that were just given to interfaces of this namespace are in use: the kernel adds their
/// local routes and multicast groups some time after it has accepted them, even without duplicate detection, and what
/// is sent to them before is lost. Fails with ETIMEDOUT.
package struct AwaitAddresses: ProbeCall {
    package static let name = "awaitAddresses"
    package typealias Reply = Done

    package struct Placed: Codable, Sendable {
        package let address: String
        package let interface: String

        package init(address: String, interface: String) {
            self.address = address
            self.interface = interface
        }
    }

    package let addresses: [Placed]
    /// Milliseconds.
    package var timeout: Int

    package init(_ addresses: [Placed], timeout: Int = 5000) {
        self.addresses = addresses
        self.timeout = timeout
    }
}

/// What the probe says unasked, as its first line, once it is where it should be: id 0.
package struct Greeting: Codable, Sendable {
    package let pid: Int32
    package init(pid: Int32) { self.pid = pid }
}
