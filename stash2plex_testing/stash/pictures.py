"""Small, distinct, valid pictures, drawn from a number.

A benchmark's 100,000 covers take no memory this way: only the number is kept.
"""

from __future__ import annotations

import hashlib
import struct
import zlib

COLUMNS, ROWS = 4, 3
"""Blocks of 8 x 8 pixels in a picture."""

DEFAULT_SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1280 720">'
    b'<rect width="1280" height="720" fill="#30404d"/>'
    b'<path d="M520 240v240l240-120z" fill="#8a9ba8"/></svg>'
)
"""Shown where an object has no picture (stash.md §5.6)."""

# ISO/IEC 10918-1 annex K.3: the standard Huffman table for the DC values of luminance.
_DC_COUNTS = bytes([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
_DC_CODES = ["00", "010", "011", "100", "101", "110", "1110", "11110", "111110"]
_AC_COUNTS = bytes([1] + [0] * 15)
"""One code, "0", for the end of a block: the blocks are of one colour."""


def picture(number: int) -> bytes:
    """Draw the picture of a number: a JPEG, every fourth one a PNG."""
    noise = hashlib.sha256(b"picture %d" % number).digest()
    return _png(noise) if number % 4 == 3 else _jpeg(noise)


def portrait() -> bytes:
    """Draw the picture of a performer who has none: a PNG, as Stash's own are (stash.md §5.6)."""
    return _png(hashlib.sha256(b"portrait").digest())


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(noise: bytes) -> bytes:
    palette = noise + noise[:4]
    rows = b"".join(
        (b"\0" + b"".join(bytes([row * COLUMNS + column]) * 8 for column in range(COLUMNS))) * 8
        for row in range(ROWS)
    )
    header = struct.pack(">IIBBBBB", COLUMNS * 8, ROWS * 8, 8, 3, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"PLTE", palette)
        + _chunk(b"IDAT", zlib.compress(rows))
        + _chunk(b"IEND", b"")
    )


def _dc_bits(difference: int) -> str:
    size = abs(difference).bit_length()
    value = difference if difference > 0 else difference + (1 << size) - 1
    return _DC_CODES[size] + (format(value, f"0{size}b") if size else "")


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _jpeg(noise: bytes) -> bytes:
    """Encode flat blocks: each has a DC value for each component, and nothing else."""
    bits = ""
    before = [0, 0, 0]
    for block in range(COLUMNS * ROWS):
        for component in range(3):
            # A quantiser of 16 and values to ±60 stay inside a byte's range of brightness.
            seed = noise[(block * 3 + component) % len(noise)]
            value = seed * 120 // 255 - 60 if component == 0 else seed * 60 // 255 - 30
            bits += _dc_bits(value - before[component]) + "0"
            before[component] = value
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    frame = struct.pack(">BHHB", 8, ROWS * 8, COLUMNS * 8, 3) + b"".join(
        bytes([component, 0x11, 0]) for component in (1, 2, 3)
    )
    scan = bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0])
    return (
        b"\xff\xd8"
        + _segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
        + _segment(0xDB, b"\0" + bytes([16] * 64))
        + _segment(0xC0, frame)
        + _segment(0xC4, b"\0" + _DC_COUNTS + bytes(range(12)))
        + _segment(0xC4, b"\x10" + _AC_COUNTS + b"\0")
        + _segment(0xDA, scan)
        + data
        + b"\xff\xd9"
    )
