"""Writes one tar in each of Python's formats, with kinds of entry that take no privilege to write."""
import io, sys, tarfile

directory = sys.argv[1]
for label, form in [("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)]:
    headers = {"comment": "global"} if label == "pax" else None
    with tarfile.open(f"{directory}/python-{label}.tar", "w", format=form, pax_headers=headers) as tar:
        def add(name, kind, data=b"", **fields):
            e = tarfile.TarInfo(name)
            e.type, e.size, e.mtime = kind, len(data), 1700000000
            for key, value in fields.items():
                setattr(e, key, value)
            tar.addfile(e, io.BytesIO(data))
        add("etc", tarfile.DIRTYPE, mode=0o1777)
        add("etc/passwd", tarfile.REGTYPE, b"root:x:0:0\n", mode=0o4755, uid=1000, gid=2000, uname="\u00e9va", gname="users")
        add("etc/old", tarfile.AREGTYPE, b"x" * 513)
        add("etc/contiguous", tarfile.CONTTYPE, b"y" * 1024)
        add("etc/hard", tarfile.LNKTYPE, linkname="etc/passwd")
        add("etc/soft", tarfile.SYMTYPE, linkname="../\u00fc/target", mode=0o777)
        add("dev/tty", tarfile.CHRTYPE, devmajor=4095, devminor=0xfffff)
        add("dev/sda", tarfile.BLKTYPE, devmajor=8, devminor=1)
        add("run/fifo", tarfile.FIFOTYPE)
        add("d" * 90 + "/" + "f" * 90, tarfile.REGTYPE, b"prefix")
        if label != "ustar":
            add("n" * 250 + "/" + "m" * 250, tarfile.REGTYPE, b"long")
            add("long-link", tarfile.SYMTYPE, linkname="t" * 3000)
            add("long-hard", tarfile.LNKTYPE, linkname="n" * 250 + "/" + "m" * 250)
            add("large-ids", tarfile.REGTYPE, b"z", uid=4294967295, gid=3000000000, mtime=-5)
            add("late", tarfile.REGTYPE, b"z", mtime=2 ** 35)
        if label == "pax":
            add("xattrs", tarfile.REGTYPE, b"z", pax_headers={
                "SCHILY.xattr.user.a": "line\nline", "SCHILY.xattr.user.b": "\u00e9", "LIBARCHIVE.xattr.user.c%3D": "AAEC/w"})
            add("times", tarfile.REGTYPE, b"z", mtime=-1.5)
