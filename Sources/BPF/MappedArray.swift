// An array map seen as memory: no system call per element. The kernel's programs read the same pages, so every store is
// of whole aligned words. Which elements mean what, and in which order to write them, is its owner's business.

import CLibBPF
import Glibc

/// A `BPF_F_MMAPABLE` array, mapped into this process.
///
/// Elements are laid out with a stride of a multiple of eight bytes, as the kernel does. Each word of eight bytes is
/// stored and loaded at once, in ascending order, with release and acquire ordering: a program sees an element of up to
/// eight bytes entirely old or entirely new; a larger one it may see half changed.
@safe public struct MappedArray<Element: BitwiseCopyable>: ~Copyable {
    /// Whether this process may write.
    public enum Access: Sendable {
        case readOnly
        case readWrite
    }

    /// How many elements there are.
    public let count: Int
    /// Whether this process may write.
    public let access: Access
    /// The elements that are mapped; those of other indices are out of reach.
    public let window: Range<Int>
    /// How errors name the map.
    public let label: String
    /// The mapping begins at a page, `lead` bytes before the window's first element.
    private let base: UnsafeMutableRawPointer
    private let lead: Int
    private let length: Int

    private static var wordsPerElement: Int { (MemoryLayout<Element>.size + 7) / 8 }
    private static var stride: Int { wordsPerElement * 8 }
    /// Whether a Swift array of elements looks as the map does, so that many go over at once.
    private static var isPacked: Bool { MemoryLayout<Element>.stride == stride }

    /// Maps the array, or a window of it. The mapping keeps the map alive by itself; the descriptor is only borrowed.
    ///
    /// Cost: every page of the window enters this process's page table at once (and its resident size), so a window of
    /// the few elements in question is cheaper than the whole of a large array: 3 us against some 200 us for 16 MiB.
    ///
    /// - Parameter window: indices of elements; nil: all of them.
    /// - Throws: EINVAL when the map is not a mappable array of elements of this size, or the window is empty or not
    ///   within it; `isPermission` when it may not be mapped that way (frozen, or read-only for user space).
    public init(
        _ map: borrowing MapDescriptor, window: Range<Int>? = nil, access: Access = .readWrite
    ) throws(BPFError) {
        let info = try map.info()
        guard info.type == .array, info.isMappable else {
            throw .mismatch("map into memory", map.label, "it is not an array with BPF_F_MMAPABLE")
        }
        try requireSize(of: Element.self, info.valueSize, "value", map.label)
        let all = 0..<Int(info.maxEntries)
        let window = window ?? all
        guard !window.isEmpty, window.lowerBound >= 0, window.upperBound <= all.upperBound else {
            throw .mismatch("map into memory", map.label, "it has \(all.count) elements; \(window) were wanted")
        }
        let lead = window.lowerBound * Self.stride % Int(getpagesize())
        let offset = window.lowerBound * Self.stride - lead
        let length = window.count * Self.stride + lead
        let protection = access == .readOnly ? PROT_READ : PROT_READ | PROT_WRITE
        let mapped = unsafe map.withDescriptor { unsafe mmap(nil, length, protection, MAP_SHARED, $0, offset) }
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else { throw .last("map into memory", map.label) }
        self.count = all.count
        self.access = access
        self.window = window
        self.label = map.label
        unsafe self.base = mapped
        self.lead = lead
        self.length = length
    }

    deinit {
        _ = unsafe munmap(base, length)
    }

    /// Where an element is. Traps when the elements from there on are not all in the window.
    private func address(of index: Int, count: Int = 1) -> UnsafeMutableRawPointer {
        precondition(
            index >= window.lowerBound && index <= window.upperBound && count <= window.upperBound - index,
            "\(count) elements from \(index) on are not within \(window) of \(label)")
        return unsafe base + lead + (index - window.lowerBound) * Self.stride
    }

    /// The element at an index. Traps when the index is not in the window.
    public func read(_ index: Int) -> Element {
        return unsafe withUnsafeTemporaryAllocation(byteCount: Self.stride, alignment: 16) { copy in
            let source = unsafe address(of: index)
            for word in 0..<Self.wordsPerElement {
                let loaded = unsafe clibbpf_load_word(source + word * 8)
                unsafe copy.storeBytes(of: loaded, toByteOffset: word * 8, as: UInt64.self)
            }
            return unsafe copy.load(as: Element.self)
        }
    }

    /// The elements in a range, each read as by ``read(_:)``. Traps when the range is not within the window.
    public func read(_ range: Range<Int>) -> [Element] {
        let source = unsafe address(of: range.lowerBound, count: range.count)
        guard Self.isPacked else { return range.map { read($0) } }
        return unsafe [Element](unsafeUninitializedCapacity: range.count) { elements, initialized in
            if let target = elements.baseAddress, !range.isEmpty {
                unsafe clibbpf_load_words(target, source, range.count * Self.wordsPerElement)
            }
            initialized = range.count
        }
    }

    /// Stores one element. Traps when the index is not in the window, or when the mapping is read-only.
    public mutating func write(_ index: Int, _ element: Element) {
        precondition(access == .readWrite, "\(label) is mapped read-only")
        unsafe store(element, at: address(of: index))
    }

    /// Stores the first eight bytes of one element at once, and leaves the rest to others who write it. Traps when the
    /// index is not in the window, or when the mapping is read-only.
    public mutating func writeFirstWord(of index: Int, _ word: UInt64) {
        precondition(access == .readWrite, "\(label) is mapped read-only")
        unsafe clibbpf_store_word(address(of: index), word)
    }

    /// Stores elements one after the other from an index on. Traps when they do not fit, or when the mapping is
    /// read-only. Not atomic as a whole; each element is stored as by ``write(_:_:)``.
    public mutating func writeAll(from index: Int, _ elements: [Element]) {
        precondition(access == .readWrite, "\(label) is mapped read-only")
        let target = unsafe address(of: index, count: elements.count)
        guard !Self.isPacked else {
            unsafe elements.withUnsafeBytes { bytes in
                guard let source = bytes.baseAddress, unsafe !bytes.isEmpty else { return }
                unsafe clibbpf_store_words(target, source, bytes.count / 8)
            }
            return
        }
        for (offset, element) in elements.enumerated() {
            unsafe store(element, at: target + offset * Self.stride)
        }
    }

    /// Stores one element, word by word; the bytes between its size and its stride become zero.
    private func store(_ element: Element, at address: UnsafeMutableRawPointer) {
        if MemoryLayout<Element>.size == 8 {
            unsafe clibbpf_store_word(address, unsafeBitCast(element, to: UInt64.self))
            return
        }
        unsafe withUnsafeBytes(of: element) { bytes in
            var offset = 0
            while offset < bytes.count {
                var word: UInt64 = 0
                unsafe withUnsafeMutableBytes(of: &word) { word in
                    unsafe word.copyMemory(from: .init(rebasing: bytes[offset..<min(offset + 8, bytes.count)]))
                }
                unsafe clibbpf_store_word(address + offset, word)
                offset += 8
            }
        }
    }
}

// The mapping has one owner, stores need exclusive access to it, and loads are atomic; what the kernel's programs do to
// the same words at the same time is covered by the word-wise atomics.
extension MappedArray: @unchecked Sendable where Element: Sendable {}
