"""Safetensors files with numpy alone: an 8-byte length, a JSON header, raw bytes."""
import json
import struct

import numpy

DTYPES = {"F64": numpy.float64, "F32": numpy.float32, "I64": numpy.int64, "I32": numpy.int32,
          "U32": numpy.uint32, "U8": numpy.uint8, "BOOL": numpy.bool_}
NAMES = {numpy.dtype(dtype): name for name, dtype in DTYPES.items()}


def read(path):
    """The tensors by name, and the metadata."""
    with open(path, "rb") as file:
        length, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        content = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(content[begin:end], DTYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    return tensors, metadata


def write(path, tensors, metadata=None):
    header, content = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, values in tensors.items():
        values = numpy.asarray(values)
        data = numpy.ascontiguousarray(values).tobytes()
        header[name] = {"dtype": NAMES[values.dtype], "shape": list(values.shape),
                        "data_offsets": [len(content), len(content) + len(data)]}
        content += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + content)
