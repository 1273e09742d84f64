#!/usr/bin/env python3
"""ends.py PORT BYTES: passes connections on to PORT, and ends when that has answered with so many bytes.

It prints the port that it listens on.
"""
import os
import sys
import threading

from relay import serve

port, left = int(sys.argv[1]), int(sys.argv[2])
lock = threading.Lock()


def answer(to, client):
    global left
    while data := to.recv(65536):
        with lock:
            if left < len(data):
                client.sendall(data[:left])
                os._exit(0)
            left -= len(data)
        client.sendall(data)
    client.close()


serve(port, answer)
