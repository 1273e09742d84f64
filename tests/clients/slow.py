#!/usr/bin/env python3
"""slow.py PORT RATE: passes connections on to PORT, and its answers at RATE bytes a second each.

It prints the port that it listens on.
"""
import socket
import sys
import threading
import time

port, rate = int(sys.argv[1]), int(sys.argv[2])


def answer(to, client):
    try:
        while data := to.recv(rate // 50):
            client.sendall(data)
            time.sleep(len(data) / rate)
    except OSError:
        pass  # who asks was killed
    client.close()


def ask(client, to):
    try:
        while data := client.recv(65536):
            to.sendall(data)
    except OSError:
        pass
    to.close()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    client, _ = listener.accept()
    to = socket.create_connection(("127.0.0.1", port))
    for function, ends in ((ask, (client, to)), (answer, (to, client))):
        threading.Thread(target=function, args=ends, daemon=True).start()
