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
    targets: [
        // Layer 0: vocabulary.
        .target(name: "CDatapathABI", path: "bpf/abi", publicHeadersPath: "."),
        .target(name: "NetworkTypes", swiftSettings: strict),
        // Layer 1: facts.
        .target(name: "ServiceModel", dependencies: ["NetworkTypes"], swiftSettings: strict),
        // Layer 2: derivation.
        .target(name: "LoadBalancing", dependencies: ["NetworkTypes", "ServiceModel"], swiftSettings: strict),
    ]
)
