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

// Code that protoc writes is not ours to make strict.
let generated: [SwiftSetting] = [.swiftLanguageMode(.v6), .enableUpcomingFeature("InternalImportsByDefault")]

let package = Package(
    name: "martlet",
    products: [
        // The eBPF library that Swift lacks; it knows nothing of Martlet.
        .library(name: "BPF", targets: ["BPF"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Layer 0: vocabulary.
        .target(name: "CDatapathABI", path: "bpf/abi", publicHeadersPath: "."),
        .target(name: "CDatapathObjects", exclude: ["objects"]),
        .systemLibrary(name: "CLibBPF", pkgConfig: "libbpf", providers: [.apt(["libbpf-dev", "libelf-dev"])]),
        .systemLibrary(name: "CLibMNL", pkgConfig: "libmnl", providers: [.apt(["libmnl-dev"])]),
        .target(name: "NetworkTypes", swiftSettings: strict),
        .target(name: "SystemCalls", dependencies: ["NetworkTypes"], swiftSettings: strict),
        .target(name: "Telemetry", swiftSettings: strict),
        // Generated from its .proto files, by its script: `make proto`.
        .target(
            name: "KubernetesMessages", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["generate", "proto", "sums"], swiftSettings: generated),
        // Layer 1: facts.
        .target(name: "ServiceModel", dependencies: ["NetworkTypes"], swiftSettings: strict),
        // Layer 2: derivation.
        .target(
            name: "KubernetesDecoding",
            dependencies: [
                "KubernetesMessages", "ServiceModel", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: strict),
        .target(name: "LoadBalancing", dependencies: ["NetworkTypes", "ServiceModel"], swiftSettings: strict),
        // Layer 3: image.
        .target(
            name: "DatapathImage", dependencies: ["CDatapathABI", "LoadBalancing", "NetworkTypes", "ServiceModel"],
            swiftSettings: strict),
        // Layer 4: effects.
        .target(name: "BPF", dependencies: ["CLibBPF"], exclude: ["README.md"], swiftSettings: strict),
        .target(
            name: "Reconciler", dependencies: ["DatapathImage", "LoadBalancing", "NetworkTypes", "ServiceModel"],
            swiftSettings: strict),
        .target(
            name: "Datapath",
            dependencies: [
                "BPF", "CDatapathABI", "CDatapathObjects", "DatapathImage", "Netlink", "NetworkTypes", "Reconciler",
                "SystemCalls",
            ],
            swiftSettings: strict),
        .target(
            name: "Handover",
            dependencies: ["BPF", "CDatapathABI", "Datapath", "Netlink", "NetworkTypes", "SystemCalls"],
            swiftSettings: strict),
        .target(
            name: "ConfigurationFiles", dependencies: ["LoadBalancing", "NetworkTypes", "ServiceModel"],
            swiftSettings: strict),
        .target(
            name: "ManifestSource",
            dependencies: ["NetworkTypes", "ServiceModel", "SystemCalls", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict),
        .target(
            name: "KubernetesClient",
            dependencies: [
                "ServiceModel", "SystemCalls", "Telemetry",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"), .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            swiftSettings: strict),
        .target(
            name: "KubernetesEvents",
            dependencies: [
                "KubernetesClient", "KubernetesDecoding", "ServiceModel",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .target(
            name: "KubernetesSource",
            dependencies: [
                "KubernetesClient", "KubernetesDecoding", "ServiceModel",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .target(name: "Netlink", dependencies: ["CLibMNL", "NetworkTypes"], swiftSettings: strict),
        .target(
            name: "HTTPServing",
            dependencies: [
                "NetworkTypes", "Telemetry", .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .target(
            name: "MetricsServer",
            dependencies: [
                "HTTPServing", "NetworkTypes", "Telemetry", .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .target(
            name: "HealthCheckServer",
            dependencies: [
                "HTTPServing", "NetworkTypes", "ServiceModel", .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .target(
            name: "Inspection",
            dependencies: [
                "BPF", "CDatapathABI", "Datapath", "DatapathImage", "Handover", "LoadBalancing", "Netlink",
                "NetworkTypes", "ServiceModel", "SystemCalls", "Telemetry",
            ],
            swiftSettings: strict),
        // Layer 5: composition.
        .target(
            name: "Agent",
            dependencies: [
                "BPF", "Datapath", "DatapathImage", "HTTPServing", "Handover", "HealthCheckServer", "Inspection",
                "KubernetesClient", "KubernetesEvents", "KubernetesSource", "LoadBalancing", "ManifestSource",
                "MetricsServer", "Netlink", "NetworkTypes", "Reconciler", "ServiceModel", "SystemCalls", "Telemetry",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        // Layer 6: the executable.
        .executableTarget(
            name: "martlet",
            dependencies: [
                "Agent", "BPF", "ConfigurationFiles", "Datapath", "Handover", "Inspection", "KubernetesClient",
                "LoadBalancing",
                "ManifestSource",
                "Netlink",
                "NetworkTypes", "ServiceModel", "SystemCalls", "Telemetry",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        // Not shipped: the world of namespaces that tests, demo and benchmarks run in.
        .target(name: "CHostCalls", path: "conformance/CHostCalls"),
        .target(name: "HostCalls", dependencies: ["CHostCalls"], path: "conformance/HostCalls", swiftSettings: strict),
        .target(
            name: "ProbeProtocol", dependencies: ["HostCalls"], path: "conformance/ProbeProtocol",
            swiftSettings: strict),
        .target(
            name: "World", dependencies: ["HostCalls", "ProbeProtocol"], path: "conformance/World",
            swiftSettings: strict),
        .executableTarget(
            name: "martlet-probe", dependencies: ["HostCalls", "ProbeProtocol"], path: "conformance/Probe",
            swiftSettings: strict),
        .executableTarget(
            name: "martlet-demo", dependencies: ["HostCalls", "ProbeProtocol", "World"], path: "conformance/Demo",
            swiftSettings: strict),
        .executableTarget(
            name: "martlet-kernels",
            dependencies: [
                "BPF", "Datapath", "HostCalls", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "conformance/Kernels", exclude: ["guest", "job", "kernels.md", "run"], swiftSettings: strict),
        // Benchmarks.
        .target(name: "CBench", path: "bench/CBench", exclude: ["objects"]),
        .target(
            name: "BenchSupport", dependencies: ["HostCalls"], path: "bench/Support", swiftSettings: strict),
        .executableTarget(
            name: "martlet-bench",
            dependencies: [
                "BPF", "BenchSupport", "CBench", "CDatapathABI", "Datapath", "DatapathImage", "HostCalls",
                "LoadBalancing", "Netlink", "NetworkTypes", "PacketKit", "ProbeProtocol", "Reconciler", "ServiceModel",
                "World", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "bench/Bench", swiftSettings: strict),
        .executableTarget(
            name: "martlet-soak",
            dependencies: [
                "BPF", "BenchSupport", "Datapath", "DatapathImage", "HostCalls", "NetworkTypes", "ProbeProtocol",
                "World",
                "martlet", "martlet-probe", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "bench/Soak", swiftSettings: strict),
        // What tests share.
        .target(
            name: "CTestObjects", path: "Tests/CTestObjects",
            exclude: ["affinity.bpf.o", "headroom.bpf.o", "hooks.bpf.o", "maps.bpf.o", "refused.bpf.o"]),
        .target(
            name: "KernelTestSupport", dependencies: ["CLibMNL", "Netlink"], path: "Tests/KernelTestSupport",
            swiftSettings: strict),
        .target(
            name: "DatapathTestSupport",
            dependencies: [
                "CDatapathABI", "DatapathImage", "LoadBalancing", "NetworkTypes", "Reconciler", "ServiceModel",
            ],
            path: "Tests/Support/DatapathTestSupport", swiftSettings: strict),
        .target(
            name: "PacketKit", dependencies: ["NetworkTypes"], path: "Tests/Support/PacketKit", swiftSettings: strict),
        // The API server stand-in.
        .target(
            name: "APIServerState", dependencies: ["NetworkTypes"], path: "Tests/Support/APIServerState",
            swiftSettings: strict),
        .target(
            name: "APIServer",
            dependencies: [
                "APIServerState", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            path: "Tests/Support/APIServer", exclude: ["README.md"], swiftSettings: strict),
        .executableTarget(
            name: "martlet-api-server",
            dependencies: [
                "APIServer", "APIServerState", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Support/APIServerCommand", swiftSettings: strict),
        // Pure tests.
        .testTarget(name: "NetworkTypesTests", dependencies: ["NetworkTypes"], swiftSettings: strict),
        .testTarget(name: "PacketKitTests", dependencies: ["NetworkTypes", "PacketKit"], swiftSettings: strict),
        .testTarget(name: "SystemCallsTests", dependencies: ["NetworkTypes", "SystemCalls"], swiftSettings: strict),
        .testTarget(name: "TelemetryTests", dependencies: ["Telemetry"], swiftSettings: strict),
        .testTarget(name: "ServiceModelTests", dependencies: ["NetworkTypes", "ServiceModel"], swiftSettings: strict),
        .testTarget(
            name: "KubernetesDecodingTests",
            dependencies: [
                "KubernetesDecoding", "KubernetesMessages", "ServiceModel",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "KubernetesSourceTests",
            dependencies: [
                "APIServer", "APIServerState", "KubernetesClient", "KubernetesDecoding", "KubernetesSource",
                "ServiceModel", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "KubernetesEventsTests",
            dependencies: [
                "APIServer", "APIServerState", "KubernetesClient", "KubernetesEvents", "ServiceModel",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "KubernetesClientTests", dependencies: ["KubernetesClient", "ManifestSource", "ServiceModel"],
            swiftSettings: strict),
        .testTarget(
            name: "ConfigurationTests",
            dependencies: ["ConfigurationFiles", "LoadBalancing", "ManifestSource", "NetworkTypes", "ServiceModel"],
            swiftSettings: strict),
        .testTarget(
            name: "ManifestSourceTests",
            dependencies: [
                "ManifestSource", "NetworkTypes", "ServiceModel", "SystemCalls",
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "FuzzTests", dependencies: ["ConfigurationFiles", "ManifestSource", "ServiceModel"],
            path: "Tests/Fuzz",
            exclude: ["corpus", "found", "run", "words.dict", "ManifestFuzz.swift"], swiftSettings: strict),
        .testTarget(
            name: "LoadBalancingTests", dependencies: ["LoadBalancing", "NetworkTypes", "ServiceModel"],
            swiftSettings: strict),
        .testTarget(
            name: "DatapathImageTests",
            dependencies: [
                "CDatapathABI", "DatapathImage", "DatapathTestSupport", "LoadBalancing", "NetworkTypes", "Reconciler",
                "ServiceModel",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ReconcilerTests",
            dependencies: [
                "CDatapathABI", "DatapathImage", "DatapathTestSupport", "LoadBalancing", "NetworkTypes", "Reconciler",
                "ServiceModel",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "MetricsServerTests",
            dependencies: [
                "HTTPServing", "MetricsServer", "NetworkTypes", "Telemetry",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "HealthCheckServerTests",
            dependencies: [
                "HTTPServing", "HealthCheckServer", "HostCalls", "NetworkTypes", "ServiceModel",
                .product(name: "Logging", package: "swift-log"), .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "APIServerTests",
            dependencies: [
                "APIServer", "APIServerState", "martlet-api-server", .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: strict),
        .testTarget(name: "CommandTests", dependencies: ["martlet"], swiftSettings: strict),
        // Kernel tests: they need root.
        .testTarget(
            name: "BPFTests", dependencies: ["BPF", "CTestObjects", "KernelTestSupport"], swiftSettings: strict),
        .testTarget(
            name: "NetlinkTests",
            dependencies: ["CLibMNL", "HostCalls", "KernelTestSupport", "Netlink", "NetworkTypes"],
            swiftSettings: strict),
        .testTarget(
            name: "InspectionTests",
            dependencies: [
                "BPF", "CDatapathABI", "Datapath", "DatapathImage", "Inspection", "LoadBalancing", "NetworkTypes",
                "Reconciler", "ServiceModel", "SystemCalls",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "WorldTests", dependencies: ["HostCalls", "ProbeProtocol", "World", "martlet-probe"],
            swiftSettings: strict),
        .testTarget(
            name: "AgentTests",
            dependencies: [
                "Agent", "BPF", "CDatapathABI", "Datapath", "DatapathImage", "HostCalls", "Inspection",
                "KernelTestSupport", "ManifestSource", "Netlink", "NetworkTypes", "ProbeProtocol", "ServiceModel",
                "Telemetry", "World",
                "martlet", "martlet-api-server", "martlet-probe",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "DatapathTests",
            dependencies: [
                "BPF", "CDatapathABI", "CTestObjects", "Datapath", "DatapathImage", "DatapathTestSupport", "HostCalls",
                "KernelTestSupport", "LoadBalancing", "Netlink", "NetworkTypes", "PacketKit", "ProbeProtocol",
                "Reconciler", "ServiceModel", "World", "martlet-probe",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "PathTests",
            dependencies: [
                "CLibMNL", "HostCalls", "KernelTestSupport", "ProbeProtocol", "World", "martlet", "martlet-probe",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "PacketTests",
            dependencies: [
                "BPF", "CDatapathABI", "CLibMNL", "CTestObjects", "Datapath", "DatapathImage", "HostCalls",
                "Inspection",
                "KernelTestSupport", "LoadBalancing", "Netlink", "NetworkTypes", "PacketKit", "Reconciler",
                "ServiceModel", "SystemCalls",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "SocketTests",
            dependencies: [
                "BPF", "CDatapathABI", "Datapath", "DatapathImage", "HostCalls", "NetworkTypes", "ProbeProtocol",
                "World",
                "martlet", "martlet-probe",
            ],
            swiftSettings: strict),
    ],
    cLanguageStandard: .gnu2x
)
