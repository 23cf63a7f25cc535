"""Write components: just enough of the binary format to import and export names."""


def text(value):
    data = value.encode()
    return number(len(data)) + data


def number(value):
    data = b""
    while value > 0x7F:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])


def section(kind, *items):
    content = number(len(items)) + b"".join(items)
    return bytes([kind]) + number(len(content)) + content


def imported(name, description=b"\x05\x00"):
    return b"\x00" + text(name) + description


def exported(name, rest=b"\x05\x00\x00"):
    return b"\x00" + text(name) + rest


def component(imports=(), exports=()):
    return (
        b"\x00asm\x0d\x00\x01\x00"
        + section(0, text("a custom section"))
        + section(10, *map(imported, imports))
        + section(11, *map(exported, exports))
    )
