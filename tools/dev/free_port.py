"""Prints a port of loopback that nothing listens on, below those that the kernel gives to outgoing connections."""

import random
import socket

PORT_MIN, PORT_MAX = 10_000, 32_000

while True:
    port = random.randint(PORT_MIN, PORT_MAX)
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
    print(port)
    break
