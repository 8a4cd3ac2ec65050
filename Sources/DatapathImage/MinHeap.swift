// A binary heap of numbers, the smallest on top.

struct MinHeap: Sendable {
    /// In heap order.
    private(set) var elements: [UInt32] = []

    var minimum: UInt32? { elements.first }

    mutating func insert(_ element: UInt32) {
        elements.append(element)
        var child = elements.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard elements[child] < elements[parent] else { return }
            elements.swapAt(child, parent)
            child = parent
        }
    }

    /// Does nothing when the heap is empty.
    mutating func removeMinimum() {
        guard let last = elements.popLast(), !elements.isEmpty else { return }
        elements[0] = last
        var parent = 0
        while 2 * parent + 1 < elements.count {
            var child = 2 * parent + 1
            if child + 1 < elements.count, elements[child + 1] < elements[child] { child += 1 }
            guard elements[child] < elements[parent] else { return }
            elements.swapAt(child, parent)
            parent = child
        }
    }
}
