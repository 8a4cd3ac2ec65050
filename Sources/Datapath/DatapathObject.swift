// The compiled programs of bpf/, one object for each family of hooks. They share their maps: each is loaded with those
// that are pinned.

package import BPF
import CDatapathABI
import CDatapathObjects

package enum DatapathObject: String, CaseIterable, Sendable {
    case sock
    case nodePortXDP = "nodeport_xdp"
    case nodePortTC = "nodeport_tc"

    private var image: martlet_object {
        switch self {
        case .sock: MARTLET_OBJECT_SOCK
        case .nodePortXDP: MARTLET_OBJECT_NODEPORT_XDP
        case .nodePortTC: MARTLET_OBJECT_NODEPORT_TC
        }
    }

    /// Parses the object; the kernel is not involved yet.
    package func open() throws(BPFError) -> BPFObject {
        let bytes = (0..<martlet_object_size(image)).map { martlet_object_byte(image, $0) }
        return try BPFObject(name: rawValue, image: bytes.span)
    }

    /// The maps of the datapath that the object uses or defines.
    package func maps(of object: borrowing BPFObject) -> [MapName] {
        let names = Set(object.mapNames)
        return MapName.allCases.filter { names.contains($0.rawValue) }
    }
}
