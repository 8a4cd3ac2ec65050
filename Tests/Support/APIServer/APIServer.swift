// x
import NIOHTTP2
import NIOSSL
import NIOHTTP1
import NIOPosix
