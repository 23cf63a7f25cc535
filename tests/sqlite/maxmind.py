"""Write small MaxMind databases: a binary tree of address bits, records, metadata."""

import struct
from ipaddress import ip_network


def encode(value):
    """Encode one value of the data section."""
    if isinstance(value, str):
        data = value.encode()
        return _control(2, len(data)) + data
    if isinstance(value, dict):
        members = b"".join(encode(key) + encode(item) for key, item in value.items())
        return _control(7, len(value)) + members
    if isinstance(value, list):
        return _control(11, len(value)) + b"".join(map(encode, value))
    kind, size, number = value
    return _control(kind, size) + number.to_bytes(size, "big")


def _uint16(number):
    return 5, 2, number


def _uint32(number):
    return 6, 4, number


def _uint64(number):
    return 9, 8, number


def _control(kind, size):
    assert size < 29
    return bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])


def write_database(path, database_type, networks, version=4):
    """
    Write a database.

    Args:
        path: Where to.
        database_type: Name in the metadata.
        networks: Network text to record.
        version: 4 or 6.
    """
    tree = [[None, None]]
    data = b""
    for network, record in networks.items():
        parsed = ip_network(network)
        bits = f"{int(parsed.network_address):0{parsed.max_prefixlen}b}"[: parsed.prefixlen]
        if version == 6 and parsed.version == 4:
            bits = "0" * 96 + bits
        node = 0
        for bit in bits[:-1]:
            if tree[node][int(bit)] is None:
                tree.append([None, None])
                tree[node][int(bit)] = len(tree) - 1
            node = tree[node][int(bit)]
        tree[node][int(bits[-1])] = ("data", len(data))
        data += encode(record)

    def number(target):
        if target is None:
            return len(tree)
        return target if isinstance(target, int) else len(tree) + 16 + target[1]

    nodes = b"".join(struct.pack(">II", number(left), number(right)) for left, right in tree)
    metadata = {
        "node_count": _uint32(len(tree)),
        "record_size": _uint16(32),
        "ip_version": _uint16(version),
        "database_type": database_type,
        "languages": ["en"],
        "binary_format_major_version": _uint16(2),
        "binary_format_minor_version": _uint16(0),
        "build_epoch": _uint64(1_700_000_000),
        "description": {"en": "made by a test"},
    }
    path.write_bytes(nodes + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + encode(metadata))
    return path
