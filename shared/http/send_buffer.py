"""What of an answer its client has not taken yet, as the kernel knows it."""

import fcntl
import socket
import struct
import termios
from typing import Any

ROOM = 256 * 1024
"""Bytes that may be on their way to one client: more than a whole writer's patience leaves unsent."""


def make_room(sock: Any) -> None:
    """Fix the room for what is on its way, so that what is written within it never waits."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM)


def unsent(sock: Any) -> int:
    """Bytes written that the client has not acknowledged."""
    (count,) = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4))
    return int(count)


def has_left(sock: Any) -> bool:
    """The client has closed its end; what it may have sent meanwhile stays to be read."""
    try:
        return not sock.fd.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
