package import DatapathImage
package import Reconciler

extension Datapath {
    package func destroyStaleSockets(_ stale: [StaleSockets]) throws(StoreError) {}
}
