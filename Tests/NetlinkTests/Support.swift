// Small helpers of the netlink suites: addresses from text.

import NetworkTypes

/// `10.0.0.1:80` or `[::1]:80`, which the test's author wrote correctly.
func endpoint(_ text: String) -> AddressAndPort {
    AddressAndPort(text)!
}

func address(_ text: String) -> IPAddress {
    IPAddress(text)!
}
