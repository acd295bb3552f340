#!/usr/bin/env python3
# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""A model file -> its catalog and item rows as JSON, with the standard library alone.

    python3 schema/read_model.py model.stint             everything but the rows
    python3 schema/read_model.py model.stint 0 17        and the rows of items 0 and 17
    python3 schema/read_model.py model.stint --all       and the rows of all items

What schema/README.md says, as a program: it is there to be read, checks no more than it needs to,
and computes no checksum. Of a file of unknown origin `stint verify` says whether it is sound.
"""
import argparse
import decimal
import json
import struct
import sys

# Fields in the order of schema/model.fbs: field i has slot i of the table's vtable.
MODEL = ("format_version header_xxh3 file_size dtype gru_form final_activation final_alpha items "
         "layers item_rows id_numbers id_names id_name_offsets id_order counts hyperparameters "
         "training_summary self_tests embedding input_rows hidden_activation hidden_alpha "
         "hidden_scale final_scale item_kind item_biases cascade").split()
GRU_LAYER = "units inputs input_weights hidden_weights".split()
SECTION = "bytes xxh3".split()
SELF_TEST = "items top_items top_scores".split()

# Names of numbers, in the order of the enums.
ACTIVATION = ("softmax", "linear", "elu", "tanh", "relu", "leaky", "selu")
EMBEDDING = ("shared", "separate", "none")
GRU_FORM = ("reset_after", "reset_before")


def shortest(number):
    """The fewest decimal digits that are read back as the same 32-bit float; with an exponent where
    that is shorter."""
    texts = ("%.*e" % (digits, number) for digits in range(9))
    text = next(t for t in texts if struct.pack("<f", float(t)) == struct.pack("<f", number))
    return min(format(decimal.Decimal(text), "f"), text, key=len)


class Table:
    """A FlatBuffers table in `file` that starts at byte `at`."""

    def __init__(self, file, at, fields):
        self.file, self.at, self.fields = file, at, fields
        # The table starts with how far back its vtable lies: [u16 bytes of the vtable][u16 bytes of
        # the table][u16 for each field: where in the table it is, 0 if it is not there].
        self.vtable = at - struct.unpack_from("<i", file, at)[0]
        self.slots = (struct.unpack_from("<H", file, self.vtable)[0] - 4) // 2

    def place(self, field):
        """Where the field lies in the file; None if it is not there: then its default holds."""
        slot = self.fields.index(field)
        if slot >= self.slots:
            return None  # written before this field was added
        offset = struct.unpack_from("<H", self.file, self.vtable + 4 + 2 * slot)[0]
        return self.at + offset if offset else None

    def number(self, field, kind, default):
        at = self.place(field)
        return default if at is None else struct.unpack_from("<" + kind, self.file, at)[0]

    def target(self, field):
        """Where what the field refers to starts: the field has how far on that is."""
        at = self.place(field)
        return None if at is None else at + struct.unpack_from("<I", self.file, at)[0]

    def table(self, field, fields):
        at = self.target(field)
        return None if at is None else Table(self.file, at, fields)

    def tables(self, field, fields):
        at = self.target(field)
        if at is None:
            return []
        count = struct.unpack_from("<I", self.file, at)[0]
        places = [at + 4 + 4 * i for i in range(count)]
        return [Table(self.file, p + struct.unpack_from("<I", self.file, p)[0], fields)
                for p in places]

    def bytes(self, field):
        """A vector's bytes ([ubyte] or string): [u32 count][elements]."""
        at = self.target(field)
        count = struct.unpack_from("<I", self.file, at)[0]
        return memoryview(self.file)[at + 4:at + 4 + count]

    def numbers(self, field, kind):
        """A vector of four-byte numbers."""
        at = self.target(field)
        return struct.unpack_from("<%d%s" % (struct.unpack_from("<I", self.file, at)[0], kind),
                                  self.file, at + 4)


class ModelFile:
    def __init__(self, file):
        if len(file) < 64 or file[4:8] != b"STNT":
            raise ValueError("no stint model: bytes 4 to 7 are not STNT")
        self.root = root = Table(file, struct.unpack_from("<I", file, 0)[0], MODEL)
        self.version = root.number("format_version", "I", 0)
        if not 1 <= self.version <= 3:
            raise ValueError("format version %d, this program knows 1 to 3" % self.version)
        if root.number("file_size", "Q", 0) != len(file):
            raise ValueError("%d bytes, not as many as the file says" % len(file))
        self.items = root.number("items", "I", 0)
        self.layers = [{"units": t.number("units", "I", 0), "inputs": t.number("inputs", "I", 0)}
                       for t in root.tables("layers", GRU_LAYER)]
        self.width = self.layers[-1]["units"]  # numbers of an item row
        item_kind = root.number("item_kind", "B", 0)
        layers_kind = ("int8", "f32")[root.number("dtype", "B", 0)]
        self.item_kind = (layers_kind, "bf16", "int4", "f32_rows")[item_kind]
        self.item_rows = self.section("item_rows")

    def section(self, field):
        table = self.root.table(field, SECTION)
        return None if table is None else table.bytes("bytes")

    def array(self, field, kind):
        """The numbers of a section."""
        section = self.section(field)
        return struct.unpack("<%d%s" % (len(section) // struct.calcsize(kind), kind), section)

    def ids(self):
        if self.root.place("id_numbers") is not None:
            return list(self.array("id_numbers", "q"))
        names, offsets = self.section("id_names"), self.array("id_name_offsets", "I")
        return [str(names[begin:end], "utf-8", "surrogateescape")
                for begin, end in zip(offsets, offsets[1:])]

    def item_row(self, item):
        """Weights [width] and bias of an item in the scoring matrix (schema/panel.h)."""
        if not 0 <= item < self.items:
            raise ValueError("item %d of %d" % (item, self.items))
        rows, width = self.item_rows, self.width
        if self.item_kind == "f32_rows":
            return (list(struct.unpack_from("<%df" % width, rows, item * width * 4)),
                    struct.unpack_from("<f", self.section("item_biases"), item * 4)[0])
        steps = (width + 3) // 4
        tile_bytes = {"int8": 512 + 256 * steps, "int4": 512 + 128 * steps,
                      "f32": 256 + 256 * width, "bf16": 256 + 128 * width}[self.item_kind]
        tile, lane = item // 64 * tile_bytes, item % 64

        def f32(at):
            return struct.unpack_from("<f", rows, tile + at)[0]

        if self.item_kind == "f32":
            return [f32(256 + 256 * c + 4 * lane) for c in range(width)], f32(4 * lane)
        if self.item_kind == "bf16":
            half = lane % 32 * 2 + lane // 32  # of a column
            at = [tile + 256 + 128 * c + 2 * half for c in range(width)]
            return ([struct.unpack("<f", b"\0\0" + bytes(rows[a:a + 2]))[0] for a in at],
                    f32(4 * lane))
        scale, bias = f32(4 * lane), f32(256 + 4 * lane)
        if self.item_kind == "int8":
            codes = [rows[tile + 512 + 256 * (c // 4) + 4 * lane + c % 4] - 128
                     for c in range(width)]
        else:  # int4: two rows share a byte
            first = tile + 512 + 64 * (lane // 32) + 4 * (lane % 16)
            codes = [(rows[first + 128 * (c // 4) + c % 4] >> (lane // 16 % 2 * 4) & 15) - 8
                     for c in range(width)]
        return [scale * code for code in codes], bias

    def name(self, field, default, names):
        """What the number of an enum stands for."""
        number = self.root.number(field, "B", default)
        if number >= len(names):
            raise ValueError("%s is %d, this program knows 0 to %d" %
                             (field, number, len(names) - 1))
        return names[number]

    def activation(self, which, default):
        """As `stint` has it: elu-0.5 and leaky-0.01 with alpha, selu-1.05-1.67 with scale first."""
        kind = self.name(which + "_activation", default, ACTIVATION)
        numbers = [self.root.number(which + "_scale", "f", 1.0)] if kind == "selu" else []
        if kind in ("elu", "leaky", "selu"):
            numbers.append(self.root.number(which + "_alpha", "f", 0.0))
        return "-".join([kind] + [shortest(number) for number in numbers])

    def self_tests(self):
        return [{"items": t.numbers("items", "I"), "top_items": t.numbers("top_items", "I"),
                 "top_scores": t.numbers("top_scores", "f")}
                for t in self.root.tables("self_tests", SELF_TEST)]


def parse():
    summary, _, notes = __doc__.partition("\n")
    parser = argparse.ArgumentParser(prog="read_model.py", description=summary, epilog=notes,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("items", metavar="ITEM", type=int, nargs="*", default=[],
                        help="index of an item whose row is wanted, from 0")
    parser.add_argument("--all", action="store_true", help="the rows of all items")
    return parser.parse_args()


def main(arguments):
    with open(arguments.model, "rb") as file:
        model = ModelFile(file.read())
    wanted = range(model.items) if arguments.all else arguments.items
    rows = [model.item_row(item) for item in wanted]
    root = model.root
    json.dump({
        "format_version": model.version,
        "items": model.items,
        "layers": model.layers,
        "item_kind": model.item_kind,
        "gru_form": model.name("gru_form", 0, GRU_FORM),
        "embedding": model.name("embedding", 0, EMBEDDING),
        "final_activation": model.activation("final", 0),
        "hidden_activation": model.activation("hidden", ACTIVATION.index("tanh")),
        "hyperparameters": json.loads(bytes(root.bytes("hyperparameters"))),
        "training_summary": json.loads(bytes(root.bytes("training_summary"))),
        "ids": model.ids(),
        "counts": model.array("counts", "I"),
        "self_tests": model.self_tests(),
        "rows": [{"item": i, "weights": w, "bias": b} for i, (w, b) in zip(wanted, rows)],
    }, sys.stdout, ensure_ascii=True, indent=1)
    print()


if __name__ == "__main__":
    options = parse()
    try:
        main(options)
    except OSError as error:
        sys.exit("read_model.py: %s: %s" % (options.model, error.strerror or error))
    except (ValueError, IndexError, struct.error) as error:
        sys.exit("read_model.py: %s: %s" % (options.model, error))
