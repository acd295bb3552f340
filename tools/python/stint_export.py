# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""What the exporters share: a Network -> the files that `stint convert` reads (weights as
safetensors, config, items, test sessions), and the options that are the same for all.
Needs Python 3.6 and numpy."""

import argparse
import errno
import json
import os
import shlex
import sys
import tempfile

import numpy as np

import stint_items
import stint_sessions
import stint_tensors
from stint_network import DataError, Forward, UsageError

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
                        "PREFIX.config.json, PREFIX.items.tsv and PREFIX.sessions.json (default: "
                        "the name of the input without its ending)")
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
    """Exit status of run(); an error as a line that names the file, and its status."""
    try:
        return run() or 0
    except UsageError as error:
        status, text = EXIT_USAGE, str(error)
    except DataError as error:
        status, text = EXIT_DATA, str(error)
        if not any(text.startswith(path) for path in inputs(arguments)):
            text = "%s: %s" % (arguments.input, text)
    except OSError as error:
        status = EXIT_DATA
        text = "%s: %s" % (error.filename or "output", error.strerror or error)
    except MemoryError:
        status, text = EXIT_DATA, "%s: out of memory" % arguments.input
    sys.stderr.write("%s: error: %s\n" % (program, text))
    return status


def inputs(arguments):
    """The files that are read."""
    names = [getattr(arguments, name, None) for name in ("input", "items", "sessions")]
    return [name for name in names if name]


def output_paths(arguments):
    """Weights, config, items and test sessions. Raises UsageError where one is an input."""
    prefix = arguments.out or os.path.splitext(arguments.input)[0]
    paths = [prefix + ending for ending in (".safetensors", ".config.json", ".items.tsv",
                                            ".sessions.json")]
    for path in paths:
        for source in inputs(arguments):
            same = os.path.realpath(path) == os.path.realpath(source)
            if same or (os.path.exists(path) and os.path.exists(source) and
                        os.path.samefile(path, source)):
                raise UsageError("%s: the input would be overwritten; give another -o PREFIX" %
                                 source)
    return prefix, paths


def note(program, text):
    sys.stderr.write("%s: %s\n" % (program, text))


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


def write_files(files):
    """[(path, bytes)] -> all of them, or none if one cannot be written in full."""
    written = []
    try:
        for path, data in files:
            try:
                _write_beside(path, data, written)
            except OSError as error:  # it names the temporary file, if any
                raise OSError(error.errno, error.strerror, path)
        while written:
            temporary, path = written[0]
            os.replace(temporary, path)
            written.pop(0)
    finally:
        for temporary, _ in written:
            os.unlink(temporary)


def _write_beside(path, data, written):
    if os.path.isdir(path):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(prefix=".stint_export_", dir=folder)
    written.append((temporary, path))
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.chmod(temporary, 0o666 & ~_umask())


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_sessions(arguments, network, own_scores):
    """Entries of the sessions file."""
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
    return sessions


def export(program, arguments, network, own_scores=None):
    """Checks the network and writes its files. own_scores(rows of clicks) -> [V] scores by the
    framework that the network comes from; without it the expected scores are those in float64."""
    prefix, paths = output_paths(arguments)
    network.check()
    sessions = test_sessions(arguments, network, own_scores)
    weights = {name: tensor.value for name, tensor in network.tensors.items()}
    write_files(list(zip(paths, (
        stint_tensors.safetensors_bytes(weights), _json(config_of(network)),
        stint_items.items_text(network).encode("utf-8"),
        _json({"format": "stint-sessions", "version": 1, "tolerance": arguments.tolerance,
               "sessions": sessions})))))
    if network.counts is None:
        note(program, "no counts of items were found: to an empty session all items will be "
             "equally popular. A column Count in %s gives them%s" %
             (paths[2], " (or in the file of --items, before the export)" if
              hasattr(arguments, "items") else ""))
    print("wrote " + " ".join(paths))
    print("next: stint convert %s --config %s --items %s --test-sessions %s -o %s" %
          tuple(shlex.quote(path) for path in paths + [prefix + ".stint"]))


def _json(value):
    return (json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n").encode("utf-8")
