"""The compiler, and what the tests of the documents feed it."""
import os
import pathlib
import struct
import subprocess
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
GANC = pathlib.Path(os.environ.get("GANC", ROOT / "build/release/bin/ganc")).resolve()


def environment(folder):
    """`ganc` is on the PATH, as the documents have it, and its cache is the folder's own."""
    return {**os.environ, "PATH": f"{GANC.parent}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(folder / "cache"),
            "GANC": str(GANC)}


def ganc(*arguments, text=None):
    return subprocess.run([str(GANC), *arguments], input=text, text=True, capture_output=True, timeout=600)


def png(pixels, width, height):
    """An RGB image as PNG; pixels(x, y) is three bytes."""
    rows = b"".join(b"\0" + b"".join(bytes(pixels(x, y)) for x in range(width)) for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def write_images(folder, count=8):
    """Images of several sizes in two sub-folders."""
    for i in range(count):
        name = folder / ("bright" if i % 2 else "dark") / f"{i}.png"
        name.parent.mkdir(parents=True, exist_ok=True)
        name.write_bytes(png(lambda x, y, i=i: (x * 3 % 256, y * 3 % 256, i * 30), 70 + i, 80))
