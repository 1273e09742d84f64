#!/usr/bin/env python3
"""slow.py PORT RATE: passes connections on to PORT, and its answers at RATE bytes a second each.

It prints the port that it listens on.
"""
import sys
import time

from relay import serve

port, rate = int(sys.argv[1]), int(sys.argv[2])


def answer(to, client):
    try:
        while data := to.recv(rate // 50):
            client.sendall(data)
            time.sleep(len(data) / rate)
    except OSError:
        pass  # who asks was killed
    client.close()


serve(port, answer)
