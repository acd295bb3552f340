#!/usr/bin/env python3
# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""A plain PyTorch state_dict (.pt, .pth or .safetensors) of nn.Embedding, nn.GRU or nn.GRUCell, and
nn.Linear -> the files that `stint convert` reads.

The options say which tensor is what. Without them it lists the tensors, says the one assignment
that fits, if there is one, and writes nothing. Needs numpy, and torch unless the file is
safetensors."""

import re
import shlex
import sys

import numpy as np

import stint_export
from stint_network import DataError, Network, shape_text

PROGRAM = "export_state_dict"
PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
OURS = ("input_weights", "hidden_weights", "input_biases", "hidden_biases")


def load(path, entry):
    """{key: array} of the file, or of the entry of a checkpoint."""
    if path.endswith(".safetensors"):
        return stint_export.read_safetensors(path)
    try:
        import torch
    except ImportError:
        raise DataError("%s: this Python has no torch, which such files need" % path)
    with open(path, "rb"):
        pass  # an error of the system rather than one of torch
    try:
        try:
            value = torch.load(path, map_location="cpu", weights_only=True)
        except TypeError:  # torch before 1.13
            value = torch.load(path, map_location="cpu")
    except Exception as error:  # the many ways of a pickle or an archive to be broken
        raise DataError("%s: torch cannot load a state_dict from it: %s: %s" %
                        (path, type(error).__name__, error))
    for name in entry.split(".") if entry else []:
        if not isinstance(value, dict) or name not in value:
            raise DataError("%s has no entry %r; there are: %s" % (path, name, _keys(value)))
        value = value[name]
    if not isinstance(value, dict) or not value or \
            not all(hasattr(tensor, "detach") for tensor in value.values()):
        raise DataError("%s is no dict of tensors; if it is a checkpoint, name the entry that is "
                        "one with --entry. There are: %s" % (path, _keys(value)))
    return {str(key): _array(tensor) for key, tensor in value.items()}


def _keys(value):
    return ", ".join(map(str, value)) if isinstance(value, dict) else type(value).__name__


def _array(tensor):
    tensor = tensor.detach().cpu()
    return (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()


def dotted(prefix):
    return prefix if not prefix or prefix.endswith(".") else prefix + "."


def gru_layers(tensors, prefix):
    """[{part: key}] of the layers of an nn.GRU."""
    reverse = [key for key in tensors if key.startswith(dotted(prefix)) and "_reverse" in key]
    if reverse:
        raise DataError("%s: a GRU in two directions cannot recommend while a session runs" %
                        reverse[0])
    layers = []
    while dotted(prefix) + "weight_ih_l%d" % len(layers) in tensors:
        layers.append({part: "%s%s_l%d" % (dotted(prefix), part, len(layers)) for part in PARTS})
    return layers


def cell_layers(prefixes):
    return [{part: dotted(prefix) + part for part in PARTS} for prefix in prefixes]


class Assignment:
    """Which key is what."""

    def __init__(self, embedding, output, output_bias, layers):
        self.embedding = embedding  # None: one-hot input
        self.output = output
        self.output_bias = output_bias  # None: items have no biases
        self.layers = layers  # {part: key} each


def take(tensors, used, key, path):
    if key not in tensors:
        raise DataError("%s has no tensor %r; there are:\n%s" % (path, key, listing(tensors)))
    used.add(key)
    return tensors[key]


def read_network(tensors, assignment, arguments):
    """The network by an assignment; every tensor must be used or be ignored by name."""
    used = set()
    path = arguments.input
    layers = assignment.layers
    weights = [take(tensors, used, layer["weight_hh"], path) for layer in layers]
    if any(weight.ndim != 2 for weight in weights):
        raise DataError("%s: a hidden weight is no matrix" % path)
    units = [weight.shape[1] for weight in weights]
    shared = assignment.embedding == assignment.output
    embedding = "shared" if shared else "separate" if assignment.embedding else "none"
    network = Network(embedding, units, ["pytorch"] * len(layers),
                      final_activation=arguments.final_activation)
    skip = arguments.padding_rows
    skip_output = skip if arguments.output_padding_rows is None else arguments.output_padding_rows
    rows = take(tensors, used, assignment.output, path)
    network.put("item_rows", rows[skip_output:], assignment.output)
    if assignment.output_bias:
        bias = take(tensors, used, assignment.output_bias, path)
        network.put("item_biases", bias[skip_output:], assignment.output_bias)
    if embedding == "separate":
        rows = take(tensors, used, assignment.embedding, path)
        network.put("input_rows", rows[skip:], assignment.embedding)
    network.gru_biases = any(layer["bias_ih"] in tensors for layer in layers)
    for number, layer in enumerate(layers):
        for part, ours in zip(PARTS, OURS):
            if part.startswith("bias") and not network.gru_biases:
                continue
            value = take(tensors, used, layer[part], path)
            if number == 0 and part == "weight_ih" and embedding == "none":
                network.put("input_rows", np.transpose(value)[skip:], layer[part])
            else:
                network.put("layer%d.%s" % (number, ours), value, layer[part])
    ignored = set(arguments.ignore)
    for key in sorted(ignored - set(tensors)):
        raise DataError("--ignore %s: there is no such tensor in %s" % (key, path))
    rest = sorted(set(tensors) - used - ignored)
    if rest:
        raise DataError("%s: no use was found for %s; if the scores do not depend on it: "
                        "--ignore %s" % (path, ", ".join(rest), rest[0]))
    network.ids, network.counts = stint_export.read_items(arguments.items)
    network.training_summary = {"source": "PyTorch state_dict"}
    return network


def listing(tensors):
    return "\n".join("  %s %s %s" % (key, shape_text(tensors[key].shape), tensors[key].dtype)
                     for key in sorted(tensors))


def guesses(tensors):
    """All assignments that fit by names and shapes."""
    stacks = []  # (options, layers)
    for key in sorted(tensors):
        if re.search(r"(^|\.)weight_ih_l0$", key):
            prefix = key[:-len("weight_ih_l0")].rstrip(".")
            stacks.append((["--gru", prefix], gru_layers(tensors, prefix)))
    cells = [key[:-len("weight_ih")].rstrip(".") for key in tensors
             if re.search(r"(^|\.)weight_ih$", key)]
    if cells:
        options = [word for prefix in cells for word in ("--cell", prefix)]
        stacks.append((options, cell_layers(cells)))
    found = []
    for options, layers in stacks:
        taken = {key for layer in layers for key in layer.values()}
        matrices = [key for key in sorted(tensors) if key not in taken and tensors[key].ndim == 2]
        try:
            inputs = tensors[layers[0]["weight_ih"]].shape[1]
            units = tensors[layers[-1]["weight_hh"]].shape[1]
        except (IndexError, KeyError):
            continue
        for output in matrices:
            rows, width = tensors[output].shape
            for embedding in matrices + [None]:
                fits = inputs == rows if embedding is None else \
                    tensors[embedding].shape == (rows, inputs)
                if width == units and fits:
                    bias = re.sub("weight$", "bias", output)
                    found.append((options, Assignment(embedding, output, bias if
                                                      bias != output and bias in tensors else None,
                                                      layers)))
    uses_all = [guess for guess in found if _used(guess[1]) >= set(tensors)]
    return uses_all or found


def _used(assignment):
    keys = {key for layer in assignment.layers for key in layer.values()}
    return keys | {assignment.embedding, assignment.output, assignment.output_bias}


def suggest(tensors, arguments):
    """What a run without options says."""
    print("%s has the tensors:\n%s" % (arguments.input, listing(tensors)))
    found = guesses(tensors)
    if len(found) == 1:
        options, assignment = found[0]
        words = [PROGRAM + ".py", arguments.input] + options
        if assignment.embedding:
            words += ["--embedding", assignment.embedding]
        words += ["--output", assignment.output]
        if assignment.output_bias:
            words += ["--output-bias", assignment.output_bias]
        words += ["--items", arguments.items or "ITEMS.tsv"]
        print("One assignment fits by names and shapes. If it is right:\n  " +
              " ".join(shlex.quote(word) for word in words))
    else:
        print("%s assignments fit by names and shapes. Say which tensor is what: --embedding, "
              "--output, --output-bias, and --gru or --cell." % (len(found) or "No"))
    print("Nothing was written.")
    return stint_export.EXIT_USAGE


def parse():
    parser = stint_export.make_parser(
        __doc__, "  %(prog)s model.pt\n"
        "  %(prog)s model.pt --embedding emb.weight --gru gru --output out.weight \\\n"
        "      --output-bias out.bias --items items.tsv -o shop\n"
        "  %(prog)s model.pt --embedding emb.weight --output emb.weight --cell cells.0 \\\n"
        "      --cell cells.1 --padding-rows 1 --items items.tsv -o shop\n")
    parser.add_argument("input", metavar="FILE", help="the state_dict")
    parser.add_argument("--entry", metavar="NAME", help="the entry of a checkpoint that is the "
                        "state_dict, as model_state_dict")
    parser.add_argument("--embedding", metavar="KEY", help="rows that enter the first layer; the "
                        "same key as --output if the weights are tied; not given: one-hot input")
    parser.add_argument("--output", metavar="KEY", help="rows that score the items")
    parser.add_argument("--output-bias", metavar="KEY", help="biases of the items")
    parser.add_argument("--gru", metavar="PREFIX", help="an nn.GRU with all layers; '' if its "
                        "tensors have no prefix")
    parser.add_argument("--cell", metavar="PREFIX", action="append", default=[],
                        help="an nn.GRUCell; once for each layer, the first one first")
    parser.add_argument("--items", metavar="FILE", help="item ids in the order of rows: a TSV with "
                        "the column ItemId and, if it is known, Count; without the padding rows")
    parser.add_argument("--padding-rows", type=int, default=0, metavar="N", help="so many rows at "
                        "the start belong to no item")
    parser.add_argument("--output-padding-rows", type=int, metavar="N", help="of --output and "
                        "--output-bias, if they are not as many there")
    parser.add_argument("--final-activation", default="softmax", metavar="NAME",
                        help="of training; it is only recorded (default: softmax)")
    parser.add_argument("--ignore", metavar="KEY", action="append", default=[],
                        help="a tensor that the scores do not depend on")
    return parser, parser.parse_args()


def main():
    parser, arguments = parse()
    named = arguments.output is not None or arguments.gru is not None or arguments.cell or \
        arguments.embedding is not None
    if named:
        if arguments.output is None or (arguments.gru is None) == (not arguments.cell):
            parser.error("--output and one of --gru and --cell are needed")
        if arguments.items is None:
            parser.error("--items is needed: a state_dict does not know the ids")
        if arguments.padding_rows < 0 or (arguments.output_padding_rows or 0) < 0:
            parser.error("--padding-rows, --output-padding-rows: expected 0 or more")

    def run():
        tensors = load(arguments.input, arguments.entry)
        if not named:
            return suggest(tensors, arguments)
        layers = cell_layers(arguments.cell) if arguments.cell else \
            gru_layers(tensors, arguments.gru)
        if not layers:
            raise DataError("%s has no tensor %r; there are:\n%s" %
                            (arguments.input, dotted(arguments.gru) + "weight_ih_l0",
                             listing(tensors)))
        assignment = Assignment(arguments.embedding, arguments.output,
                                arguments.output_bias, layers)
        stint_export.export(PROGRAM, arguments, read_network(tensors, assignment, arguments))

    return stint_export.main(PROGRAM, arguments, run)


if __name__ == "__main__":
    sys.exit(main())
