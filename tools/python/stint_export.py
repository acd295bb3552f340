# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""What the exporters share: a Network -> the files that `stint convert` reads (weights as
safetensors, config, items, test sessions), and the options that are the same for all.
Needs Python 3.6 and numpy."""

import argparse
import json
import os
import shlex
import struct
import sys
import tempfile

import numpy as np

import stint_sessions
from stint_network import DataError, Forward

EXIT_USAGE = 2
EXIT_DATA = 3
# Scores of the user's own framework, in float32, against those in float64 here: more is not from
# rounding.
LARGEST_DISAGREEMENT = 1e-3


def make_parser(description, examples):
    parser = argparse.ArgumentParser(
        description=description, epilog="examples:\n" + examples,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("-o", "--out", metavar="PREFIX", help="writes PREFIX.safetensors, "
                        "PREFIX.json, PREFIX.items.tsv and PREFIX.sessions.json (default: the name "
                        "of the input without its ending)")
    group = parser.add_argument_group("test sessions")
    group.add_argument("--sessions", metavar="LOG", help="takes the test sessions from this click "
                       "log, tab-separated with a header, not from made-up ones")
    group.add_argument("--session-column", default="SessionId", metavar="NAME")
    group.add_argument("--item-column", default="ItemId", metavar="NAME")
    group.add_argument("--time-column", default="Time", metavar="NAME")
    group.add_argument("--drop-unknown", action="store_true",
                       help="leaves out clicks of the log on items that the model does not know")
    group.add_argument("--test-sessions", type=positive, default=20, metavar="N",
                       help="so many of them (default: 20)")
    group.add_argument("--tolerance", type=tolerance, default=1e-4, metavar="X",
                       help="the largest difference of a score that `stint convert` is to take "
                       "(default: 1e-4)")
    return parser


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def tolerance(text):
    number = float(text)
    if not 0 < number < float("inf"):
        raise ValueError(text)
    return number


def main(program, arguments, run):
    """Exit status of run(); a DataError or an error of the system as a message and status 3."""
    try:
        return run() or 0
    except DataError as error:
        text = str(error)
        files = [getattr(arguments, name, None) for name in ("input", "items", "sessions")]
        if not any(path and text.startswith(path) for path in files):
            text = "%s: %s" % (arguments.input, text)
        sys.stderr.write("%s: error: %s\n" % (program, text))
    except (OSError, MemoryError) as error:
        sys.stderr.write("%s: error: %s\n" % (program, error or "out of memory"))
    return EXIT_DATA


def note(program, text):
    sys.stderr.write("%s: %s\n" % (program, text))


def item_text(value):
    """An id as text: integers in decimal, text as it is. Raises DataError for others."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise DataError("the item id %r is no UTF-8" % value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_)):
        return str(int(value))
    raise DataError("the item id %r is a %s, expected an integer or text" %
                    (value, type(value).__name__))


def ids_of_map(item_map, source):
    """A pandas Series (or what has .index and .values like one) of row numbers by item id -> the
    ids as text in the order of rows."""
    if getattr(item_map, "stands_for", "").startswith("pandas"):
        raise DataError("%s was written with pandas, which this Python does not have, or has in "
                        "another version: pip install pandas, or name the items with --items" %
                        source)
    for attribute in ("index", "values"):
        if not hasattr(item_map, attribute):
            raise DataError("%s is a %s without .%s, expected a pandas Series of row numbers by "
                            "item id" % (source, type(item_map).__name__, attribute))
    ids = np.asarray(item_map.index).tolist()
    rows = np.asarray(item_map.values)
    if rows.dtype.kind not in "iu" or rows.ndim != 1 or len(rows) != len(ids):
        raise DataError("%s has %d ids and values of type %s, shape %s, expected one integer an "
                        "id" % (source, len(ids), rows.dtype, list(rows.shape)))
    order = np.argsort(rows, kind="mergesort")
    wrong = np.nonzero(rows[order] != np.arange(len(rows)))[0]
    if len(wrong):
        raise DataError("%s: the rows are not 0 to %d, each once: where %d should stand is %d" %
                        (source, len(rows) - 1, wrong[0], rows[order[wrong[0]]]))
    return [item_text(ids[i]) for i in order]


def read_items(path):
    """A TSV with the column ItemId and, if it is known, Count; rows in the order of the network's
    -> ids, counts or None."""
    with open(path, "rb") as stream:
        try:
            text = stream.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError("%s is no UTF-8: %s" % (path, error))
    lines = [line.rstrip("\r").split("\t") for line in text.split("\n")]
    header = lines[0]
    if header.count("ItemId") != 1 or header.count("Count") > 1:
        raise DataError("%s: expected one column 'ItemId' and at most one 'Count', found %s" %
                        (path, ", ".join(repr(name) for name in header)))
    rows = []
    for number, line in enumerate(lines[1:], 2):
        if line != [""]:
            if len(line) != len(header):
                raise DataError("%s:%d: %d fields, expected %d" %
                                (path, number, len(line), len(header)))
            rows.append(dict(zip(header, line), line=number))
    counts = None
    if "Count" in header:
        for row in rows:
            if not row["Count"].isdigit():
                raise DataError("%s:%d: the count %r is no whole number" %
                                (path, row["line"], row["Count"]))
        counts = [int(row["Count"]) for row in rows]
    return [row["ItemId"] for row in rows], counts


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


def config_of(network):
    config = {"format": "stint-network", "version": 1, "embedding": network.embedding,
              "layers": network.layers}
    if len(set(network.conventions)) == 1:
        config["convention"] = network.conventions[0]
    else:
        config["layer_conventions"] = [{"convention": name} for name in network.conventions]
    if not network.gru_biases:
        config["gru_biases"] = False
    if "item_biases" not in network.tensors:
        config["item_biases"] = False
    config["hidden_activation"] = network.hidden_activation
    config["final_activation"] = network.final_activation
    config["hyperparameters"] = network.hyperparameters
    config["training_summary"] = network.training_summary
    return config


def items_text(network):
    if network.counts is None:  # a second column all the same: a tab says what parts the fields
        return "ItemId\tRow\n" + "".join(
            "%s\t%d\n" % (name, row) for row, name in enumerate(network.ids))
    return "ItemId\tCount\n" + "".join(
        "%s\t%d\n" % pair for pair in zip(network.ids, network.counts))


def write_files(files):
    """[(path, bytes)] -> all of them, or none if one cannot be written in full."""
    written = []
    try:
        for path, data in files:
            folder = os.path.dirname(os.path.abspath(path))
            handle, temporary = tempfile.mkstemp(prefix=".stint_export_", dir=folder)
            written.append((temporary, path))
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(temporary, 0o666 & ~_umask())
        while written:
            temporary, path = written[0]
            os.replace(temporary, path)
            written.pop(0)
    finally:
        for temporary, _ in written:
            os.unlink(temporary)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def export(program, arguments, network, own_scores=None):
    """Checks the network and writes its files. own_scores(rows of clicks) -> [V] scores by the
    framework that the network comes from; without it the expected scores are those in float64."""
    network.check()
    forward = Forward(network)
    sessions = []
    for rows in stint_sessions.pick(arguments, network.ids):
        scores = forward.scores(rows)
        if own_scores is not None:
            own = np.asarray(own_scores(rows), dtype=np.float64)
            difference = np.max(np.abs(own - scores))
            if not difference <= LARGEST_DISAGREEMENT:
                raise DataError(
                    "after the clicks %s the framework's score of an item differs by %.3g from "
                    "that of the exported tensors, more than %g: they do not mean what this "
                    "exporter takes them for" % ([network.ids[row] for row in rows], difference,
                                        LARGEST_DISAGREEMENT))
            scores = own
        sessions.append(stint_sessions.expected(network.ids, rows, scores))
    prefix = arguments.out or os.path.splitext(arguments.input)[0]
    weights = {name: tensor.value for name, tensor in network.tensors.items()}
    files = [(prefix + ".safetensors", safetensors_bytes(weights)),
             (prefix + ".json", _json(config_of(network))),
             (prefix + ".items.tsv", items_text(network).encode("utf-8")),
             (prefix + ".sessions.json", _json({
                 "format": "stint-sessions", "version": 1, "tolerance": arguments.tolerance,
                 "sessions": sessions}))]
    for path, _ in files:
        if os.path.exists(arguments.input) and os.path.exists(path) and \
                os.path.samefile(path, arguments.input):
            raise DataError("%s: the input would be overwritten; give another -o PREFIX" % path)
    write_files(files)
    if network.counts is None:
        note(program, "no counts of items were found: to an empty session all items will be "
             "equally popular")
    print("wrote " + " ".join(path for path, _ in files))
    weights_path, config, items, tests = (shlex.quote(path) for path, _ in files)
    print("next: stint convert %s --config %s --items %s --test-sessions %s -o %s" %
          (weights_path, config, items, tests, shlex.quote(prefix + ".stint")))


def _json(value):
    return (json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n").encode("utf-8")
