// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "martlet",
    products: [
        // The eBPF library that Swift lacks; it knows nothing of Martlet.
        .library(name: "BPF", targets: ["BPF"])
    ],
    targets: [
        // Layer 0: vocabulary.
        .target(name: "CDatapathABI", path: "bpf/abi", publicHeadersPath: "."),
        .target(name: "CDatapathObjects", exclude: ["objects"]),
        .systemLibrary(name: "CLibBPF", pkgConfig: "libbpf", providers: [.apt(["libbpf-dev", "libelf-dev"])]),
        .target(name: "NetworkTypes", swiftSettings: strict),
        // Layer 1: facts.
        .target(name: "ServiceModel", dependencies: ["NetworkTypes"], swiftSettings: strict),
        // Layer 2: derivation.
        .target(name: "LoadBalancing", dependencies: ["NetworkTypes", "ServiceModel"], swiftSettings: strict),
        // Layer 3: image.
        .target(
            name: "DatapathImage", dependencies: ["CDatapathABI", "LoadBalancing", "NetworkTypes", "ServiceModel"],
            swiftSettings: strict),
        // Layer 4: effects.
        .target(name: "BPF", dependencies: ["CLibBPF"], exclude: ["README.md"], swiftSettings: strict),
        .target(name: "Reconciler", dependencies: ["DatapathImage", "LoadBalancing", "NetworkTypes", "ServiceModel"], swiftSettings: strict),
        .target(
            name: "Datapath",
            dependencies: ["BPF", "CDatapathABI", "CDatapathObjects", "DatapathImage", "NetworkTypes", "Reconciler"],
            swiftSettings: strict),
    ],
    cLanguageStandard: .gnu2x
)
