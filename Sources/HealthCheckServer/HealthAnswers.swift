// The bodies and headers that load balancers and probes are answered with, as kube-proxy writes them (HC-5, HZ-1, HZ-2).

import Foundation
import HTTPServing
import NIOHTTP1
import NetworkTypes
import ServiceModel

enum HealthAnswers {
    /// Of a service: 200 if this node has ready endpoints of it and the proxy is healthy (HC-2).
    static func service(_ service: ObjectName, localEndpoints: Int, isProxyHealthy: Bool) -> HTTPAnswer {
        let body = ServiceBody(
            service: .init(namespace: service.namespace, name: service.name), localEndpoints: localEndpoints,
            serviceProxyHealthy: isProxyHealthy)
        return answer(
            isGood: localEndpoints > 0 && isProxyHealthy, body,
            headers: [.init(name: "X-Load-Balancing-Endpoint-Weight", value: "\(localEndpoints)")])
    }

    /// Of the proxy and its node (`/healthz`).
    static func healthz(_ report: HealthReport) -> HTTPAnswer {
        let isGood = report.isProxyHealthy && report.nodeEligible
        return answer(isGood: isGood, ProxyBody(report, isGood: isGood, nodeEligible: report.nodeEligible))
    }

    /// Of the proxy alone (`/livez`).
    static func livez(_ report: HealthReport) -> HTTPAnswer {
        answer(
            isGood: report.isProxyHealthy, ProxyBody(report, isGood: report.isProxyHealthy, nodeEligible: nil))
    }

    private static func answer(
        isGood: Bool, _ body: some Encodable, headers: [HTTPAnswer.HTTPHeader] = []
    ) -> HTTPAnswer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
        }
        // Of strings, numbers and dates; there is nothing in them that JSON could not say.
        let bytes = (try? encoder.encode(body)) ?? Data()
        return HTTPAnswer(
            status: isGood ? .ok : .serviceUnavailable, contentType: "application/json",
            headers: headers,
            body: String(decoding: bytes, as: UTF8.self) + "\n")
    }

    private struct ServiceBody: Encodable {
        struct Name: Encodable {
            let namespace: String
            let name: String
        }

        let service: Name
        let localEndpoints: Int
        let serviceProxyHealthy: Bool
    }

    private struct ProxyBody: Encodable {
        struct Family: Encodable {
            let lastUpdated: Date
            let healthy: Bool
        }

        /// Now in a good answer, so that consumers which watch its age are content while nothing changes; else the
        /// newest successful sync.
        let lastUpdated: Date
        let currentTime: Date
        let healthy: Bool
        /// Left out where nobody asks for it.
        let nodeEligible: Bool?
        let status: [String: Family]

        init(_ report: HealthReport, isGood: Bool, nodeEligible: Bool?) {
            lastUpdated = isGood ? report.currentTime : report.lastUpdated ?? Self.never
            currentTime = report.currentTime
            healthy = isGood
            self.nodeEligible = nodeEligible
            status = Dictionary(
                uniqueKeysWithValues: AddressFamily.allCases.map { family in
                    let state = report.families[family]
                    return (
                        "\(family)", Family(lastUpdated: state.lastUpdated ?? Self.never, healthy: state.healthy)
                    )
                })
        }

        /// The time before all others, as Go writes it: 0001-01-01T00:00:00Z.
        private static let never = Date(timeIntervalSince1970: -62_135_596_800)
    }
}
