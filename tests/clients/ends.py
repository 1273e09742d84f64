#!/usr/bin/env python3
"""ends.py PORT BYTES: passes connections on to PORT, and ends when that has answered with so many bytes.

It prints the port that it listens on.
"""
import os
import socket
import sys
import threading

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


def ask(client, to):
    while data := client.recv(65536):
        to.sendall(data)
    to.close()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    client, _ = listener.accept()
    to = socket.create_connection(("127.0.0.1", port))
    for function, ends in ((ask, (client, to)), (answer, (to, client))):
        threading.Thread(target=function, args=ends, daemon=True).start()
