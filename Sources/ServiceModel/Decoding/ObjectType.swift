// apiVersion and kind of an object, and whether they concern a proxy. Users pass the manifests of whole applications,
// so kinds that are Kubernetes' own, or of another API group, pass silently; misspelt ones must not.

struct ObjectType {
    enum Concern {
        case fact(FactKind)
        case ignored
        case unknown(FieldProblem)
    }

    /// What a List holds: one kind, or objects that each say their kind.
    struct Listed {
        var kind: FactKind?
    }

    private var apiVersion: String
    private var kind: String

    init(of object: FieldValue) throws(FieldProblem) {
        guard let kind = try object.string("kind"), !kind.isEmpty else { throw FieldProblem("kind", "is missing") }
        guard let version = try object.string("apiVersion"), !version.isEmpty else {
            throw FieldProblem("apiVersion", "is missing")
        }
        self.apiVersion = version
        self.kind = kind
    }

    /// Not nil for v1 `List` and the lists of the kinds that we read.
    var listed: Listed? {
        guard kind.hasSuffix("List") else { return nil }
        if kind == "List", apiVersion == "v1" { return Listed(kind: nil) }
        guard let fact = FactKind(rawValue: String(kind.dropLast(4))), fact.apiVersion == apiVersion else { return nil }
        return Listed(kind: fact)
    }

    var concern: Concern {
        if let fact = FactKind(rawValue: kind) {
            if fact.apiVersion == apiVersion { return .fact(fact) }
            if fact == .service, group == "serving.knative.dev" { return .ignored }
            return .unknown(
                FieldProblem(
                    "apiVersion", "\(FieldValue.quoted(apiVersion)) of \(kind) is not read, only \(fact.apiVersion)"))
        }
        if Self.otherKinds.contains(kind) { return .ignored }
        if kind.hasSuffix("List"), Self.otherKinds.contains(String(kind.dropLast(4))) { return .ignored }
        if isForeignGroup { return .ignored }
        return .unknown(
            FieldProblem("kind", "\(FieldValue.quoted(kind)) of \(FieldValue.quoted(apiVersion)) is not known"))
    }

    /// Empty for the core group, whose apiVersion has no slash.
    private var group: Substring {
        apiVersion.contains("/") ? apiVersion.prefix { $0 != "/" } : ""
    }

    /// A custom resource's group is a domain name; Kubernetes' own are `*.k8s.io` or a bare word, ours is
    /// `martlet.dev`.
    private var isForeignGroup: Bool {
        group.contains(".") && !group.hasSuffix(".k8s.io") && group != "martlet.dev"
    }

    /// Kubernetes' kinds that a service proxy has no use for.
    private static let otherKinds: Set<String> = [
        "APIService", "Binding", "CSIDriver", "CSINode", "CSIStorageCapacity", "CertificateSigningRequest",
        "ClusterRole", "ClusterRoleBinding", "ClusterTrustBundle", "ComponentStatus", "ConfigMap",
        "ControllerRevision", "CronJob", "CustomResourceDefinition", "DaemonSet", "Deployment", "DeviceClass",
        "Endpoints", "Event", "FlowSchema", "Gateway", "GatewayClass", "GRPCRoute", "HTTPRoute",
        "HorizontalPodAutoscaler", "IPAddress", "Ingress", "IngressClass", "Job", "Lease", "LimitRange",
        "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding", "MutatingWebhookConfiguration", "Namespace",
        "NetworkPolicy", "PersistentVolume", "PersistentVolumeClaim", "Pod", "PodDisruptionBudget",
        "PodSecurityPolicy", "PodTemplate", "PriorityClass", "PriorityLevelConfiguration", "ReferenceGrant",
        "ReplicaSet", "ReplicationController", "ResourceClaim", "ResourceClaimTemplate", "ResourceQuota",
        "ResourceSlice", "Role", "RoleBinding", "RuntimeClass", "Secret", "ServiceAccount", "StatefulSet",
        "StorageClass", "StorageVersion", "TCPRoute", "TLSRoute", "UDPRoute", "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration", "VolumeAttachment",
        "VolumeAttributesClass", "VolumeSnapshot", "VolumeSnapshotClass", "VolumeSnapshotContent",
    ]
}
