// Whether every choice table in the maps is the one that its frontend's backends should have.

import CDatapathABI
package import DatapathImage
import LoadBalancing
package import NetworkTypes

extension MapContents {
    /// The frontends whose table is not the Maglev table of their backends with these weights, given by address.
    package func wrongTables(weights: [AddressAndPort: UInt32] = [:]) -> [String] {
        frontends.keys.sorted().compactMap { key in
            guard let record = frontends[key] else { return nil }
            let isWrong = [record.fields.internal, record.fields.external].contains { choice in
                guard choice.table_slots > 0 else { return false }
                let members = VisibleSpace.members(of: choice, in: self).map { id in
                    let address = backends[Int(id)].address
                    return MaglevTable.Member(
                        address: address.address, weight: weights[address] ?? backends[Int(id)].fields.weight)
                }
                return VisibleSpace.positions(of: choice, in: self)
                    != MaglevTable(MaglevTable.reduced(members)).positions
            }
            return isWrong ? "\(key)" : nil
        }
    }
}
