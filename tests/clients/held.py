#!/usr/bin/env python3
"""held.py SOCKET NOTE COMMAND…: runs COMMAND, again each time that it ends, and passes it SOCKET as systemd does.

Its number is in the file NOTE. It ends when this program is told to.
"""
import os
import signal
import socket
import sys
import time

at, note, *command = sys.argv[1:]
held = socket.socket(socket.AF_UNIX)
held.bind(at)
held.listen()
child = 0


def end(*_):
    os.kill(child, signal.SIGTERM)
    os.waitpid(child, 0)
    os._exit(0)


signal.signal(signal.SIGTERM, end)
while True:
    child = os.fork()
    if not child:
        os.dup2(held.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
        os.execv(command[0], command)
    with open(note + ".new", "w") as file:
        file.write(str(child))
    os.rename(note + ".new", note)
    os.waitpid(child, 0)
    time.sleep(0.5)
