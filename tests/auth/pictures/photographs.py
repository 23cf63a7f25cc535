"""Pictures as cameras and programs make them, with everything that is nobody's business."""

import io
import zlib
from struct import pack

from PIL import Image
from PIL.PngImagePlugin import PngInfo

SECRETS = (b"Nora's camera", b"at home", b"xmpmeta", b"motion film", b"face of Nora", b"54 deg")
SIZE = (48, 32)


def painting(mode="RGB", size=SIZE):
    """Pixels of which each is another colour."""
    picture = Image.linear_gradient("L").resize(size)
    bands = [
        picture.rotate(90 * number) for number in range(len(Image.new(mode, (1, 1)).getbands()))
    ]
    return Image.merge(mode, bands) if len(bands) > 1 else bands[0].convert(mode)


def exif(orientation=None):
    notes = Image.Exif()
    notes[0x010F] = "Nora's camera"
    notes[0x9C9B] = "at home"
    notes.get_ifd(0x8825)[1] = "54 deg"
    if orientation:
        notes[0x0112] = orientation
    return notes


def photograph(orientation=None, *, progressive=False, film=b"motion film", **more):
    """A JPEG with Exif, XMP, a comment, a thumbnail and something behind its end."""
    file = io.BytesIO()
    options = {"exif": exif(orientation), "comment": b"at home", "quality": 90, **more}
    painting().save(file, "JPEG", progressive=progressive, xmp=b"<xmpmeta/>", **options)
    thumbnail = b"JFIF\0\x01\x02\0\0\x01\0\x01\2\2" + b"face of Nora"
    plain = file.getvalue()
    assert plain[2:4] == b"\xff\xe0"
    rest = plain[4 + int.from_bytes(plain[4:6], "big") :]
    return plain[:2] + segment(0xE0, thumbnail) + rest + film


def screenshot(orientation=None, mode="RGBA"):
    """A PNG with texts, Exif, a date and something behind its end."""
    texts = PngInfo()
    texts.add_text("Author", "Nora's camera")
    texts.add_text("Comment", "at home " * 50, zip=True)
    texts.add_itxt("XML:com.adobe.xmp", "<xmpmeta/>")
    texts.add(b"tIME", bytes(7))
    file = io.BytesIO()
    options = {"exif": exif(orientation), "icc_profile": b"p" * 200, "dpi": (72, 72)}
    painting(mode).save(file, "PNG", pnginfo=texts, **options)
    return file.getvalue() + b"motion film"


def segment(code, content):
    return b"\xff" + bytes([code]) + pack(">H", len(content) + 2) + content


def chunk(name, content):
    named = name + content
    return pack(">I", len(content)) + named + pack(">I", zlib.crc32(named))


def png(width=1, height=1, *chunks):
    """The smallest PNG that says it has this size."""
    header = chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(2)))
    return b"".join([b"\x89PNG\r\n\x1a\n", header, *chunks, pixels, chunk(b"IEND", b"")])


def jpeg(width=1, height=1, *segments):
    """The beginning of a JPEG that says it has this size, and its end."""
    frame = segment(0xC0, pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    return b"".join([b"\xff\xd8", *segments, frame, b"\xff\xd9"])


def look(content):
    """What people see: size, pixels and colours, turned as it says."""
    with Image.open(io.BytesIO(content)) as picture:
        turned = picture.getexif().get(0x0112, 1)
        picture.load()
        return (
            picture.mode,
            picture.size,
            picture.tobytes(),
            turned,
            picture.info.get("icc_profile"),
        )
