// How the problems of manifests tell why a file cannot be read.

import Glibc
import SystemCalls

extension SystemError {
    /// In the words of errno(3) for what happens to files; the second half of a sentence.
    var words: String {
        switch errno {
        case ENOENT: "there is no such file"
        case EACCES: "permission denied"
        case ENOTDIR: "a part of the path is not a directory"
        case ELOOP: "its symbolic links go in a circle"
        case EISDIR: "it is a directory"
        case EILSEQ: "its name is not UTF-8 text"
        case EIO: "the device reports an error"
        case _: "error number \(errno)"
        }
    }
}
