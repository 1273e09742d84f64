"""One line for each entry of each tar, as Python's tarfile reads it; see `line` in mod.rs."""
import math, sys, tarfile, zlib, os

KINDS = {b"\0": "f", b"0": "f", b"7": "f", b"S": "f", b"1": "h", b"2": "l", b"3": "c", b"4": "b",
         b"5": "d", b"6": "p"}

for name in sys.argv[1:]:
    print("==")
    with tarfile.open(name, "r:") as tar:
        for e in tar:
            regular = e.isreg()
            content = tar.extractfile(e).read() if regular else b""
            link = e.linkname if e.issym() or e.islnk() else ""
            device = (e.devmajor, e.devminor) if e.ischr() or e.isblk() else (0, 0)
            print(KINDS[e.type], os.fsencode(e.name).rstrip(b"/").hex(), "." + os.fsencode(link).hex(),
                  "%o" % e.mode, e.uid, e.gid, "." + os.fsencode(e.uname).hex(),
                  math.floor(e.mtime), "%d:%d" % device, e.size if regular else 0,
                  "%08x" % zlib.crc32(content))
