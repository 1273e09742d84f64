"""lazy.py FILE WHOLE: fills FILE, when somebody reads of it, with what WHOLE has there, each page once, until it is killed. Prints
`filling` when it begins, or what the kernel says against it. fanotify(7), FAN_PRE_ACCESS.
"""
import ctypes
import os
import struct
import sys

PRE_CONTENT_CLASS, ADD, PRE_ACCESS, HERE = 8, 1, 0x100000, -100

libc = ctypes.CDLL(None, use_errno=True)
group = libc.fanotify_init(PRE_CONTENT_CLASS, os.O_RDWR)
if group < 0 or libc.fanotify_mark(group, ADD, ctypes.c_uint64(PRE_ACCESS), HERE, os.fsencode(sys.argv[1])):
    print(os.strerror(ctypes.get_errno()), flush=True)
    sys.exit()
print("filling", flush=True)
with open(sys.argv[2], "rb") as file:
    whole = file.read()
there = set()  # numbers of pages
while True:
    events = os.read(group, 4096)
    while events:
        length, _, _, head, _, opened, _ = struct.unpack_from("=IBBHQii", events)
        # Behind the head there is one record: the range that is asked for.
        offset, count = struct.unpack_from("=QQ", events, head + 8)
        for page in set(range(offset // 4096, (offset + count + 4095) // 4096)) - there:
            os.pwrite(opened, whole[page * 4096 : (page + 1) * 4096], page * 4096)
            there.add(page)
        os.write(group, struct.pack("=iI", opened, 1))
        os.close(opened)
        events = events[length:]
