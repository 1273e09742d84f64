"""What slow.py and ends.py share: connections that are passed on, and answered by them."""
import socket
import threading


def ask(client, to):
    try:
        while data := client.recv(65536):
            to.sendall(data)
    except OSError:
        pass  # one of both is gone
    to.close()


def serve(port, answer):
    """Passes connections on to the port, and has answer(to, client) bring back what is said there. It prints the port that it
    listens on.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        client, _ = listener.accept()
        to = socket.create_connection(("127.0.0.1", port))
        for function, ends in ((ask, (client, to)), (answer, (to, client))):
            threading.Thread(target=function, args=ends, daemon=True).start()
