# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""Safetensors files <-> numpy arrays by name."""

import json
import struct

import numpy as np

from stint_network import DataError


def safetensors_bytes(tensors):
    """{name: array of floats} -> header length, header, data; rows are contiguous."""
    header = {"__metadata__": {"format": "stint-network"}}
    parts = []
    offset = 0
    for name in sorted(tensors):
        array = np.asarray(tensors[name])
        data = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()
        header[name] = {"dtype": "F%d" % (8 * array.dtype.itemsize), "shape": list(array.shape),
                        "data_offsets": [offset, offset + len(data)]}
        parts.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)  # data start at a multiple of 8
    return b"".join([struct.pack("<Q", len(text)), text] + parts)


def read_safetensors(path):
    """{name: array}; BF16 becomes float32."""
    with open(path, "rb") as stream:
        data = stream.read()
    size = struct.unpack("<Q", data[:8])[0] if len(data) >= 8 else len(data)
    if size > len(data) - 8:
        raise DataError("%s: is no safetensors file: too short for its header" % path)
    try:
        header = json.loads(data[8:8 + size].decode("utf-8"))
        header.pop("__metadata__", None)
        return {name: _tensor(entry, data[8 + size:]) for name, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError("%s: is no safetensors file: %s" % (path, error))


def _tensor(entry, data):
    kinds = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4",
             "I16": "<i2", "I8": "i1", "U8": "u1", "BOOL": "?"}
    start, end = entry["data_offsets"]
    if not 0 <= start <= end <= len(data):
        raise ValueError("data_offsets %s are outside of the file" % [start, end])
    array = np.frombuffer(data[start:end], dtype=kinds[entry["dtype"]])
    if entry["dtype"] == "BF16":
        array = (array.astype(np.uint32) << 16).view(np.float32)
    return array.reshape(entry["shape"])
