#!/usr/bin/env python3
# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""A plain PyTorch state_dict (.pt, .pth or .safetensors) of nn.Embedding, nn.GRU or nn.GRUCell, and
nn.Linear -> the files that `stint convert` reads.

The options say which tensor is what. Without them it lists the tensors, says what assignment fits
by names and shapes, and writes nothing. Needs numpy, and torch unless the file is safetensors."""

import shlex
import sys

import stint_needs  # noqa: F401, before all others
import stint_export
import stint_items
from stint_guess import MOST_PADDING, Assignment, first_is_zero, guesses, input_rows, padding_words
from stint_network import DataError, Network, UsageError
from stint_state_dict import PARTS, cell_layers, dotted, gru_layers, listing, load, twins

PROGRAM = "export_state_dict"
OURS = ("input_weights", "hidden_weights", "input_biases", "hidden_biases")
MOST_SHOWN = 4  # assignments that a listing shows


def take(tensors, used, key, path):
    if key not in tensors:
        raise DataError("%s has no tensor %r; there are:\n%s" % (path, key, listing(tensors)))
    used.add(key)
    return tensors[key]


def matrix(tensors, used, key, path):
    value = take(tensors, used, key, path)
    if value.ndim != 2:
        raise DataError("%s has %d dimensions, expected a matrix" % (key, value.ndim))
    return value


def read_network(tensors, assignment, arguments):
    """The network by an assignment; every tensor must be used or be ignored by name."""
    used = set()
    path = arguments.input
    layers = assignment.layers
    units = [matrix(tensors, used, layer["weight_hh"], path).shape[1] for layer in layers]
    matrix(tensors, used, layers[0]["weight_ih"], path)
    rows = matrix(tensors, used, assignment.output, path)
    if assignment.embedding:
        matrix(tensors, used, assignment.embedding, path)
    shared = assignment.embedding == assignment.output
    embedding = "shared" if shared else "separate" if assignment.embedding else "none"
    network = Network(embedding, units, ["pytorch"] * len(layers),
                      final_activation=arguments.final_activation)
    network.ids, network.counts = stint_items.read_items(arguments.items)
    skip, skip_output = check_rows(tensors, assignment, arguments, len(network.ids))
    network.put("item_rows", rows[skip_output:], assignment.output)
    if assignment.output_bias:
        bias = take(tensors, used, assignment.output_bias, path)
        network.put("item_biases", bias[skip_output:], assignment.output_bias)
    if not shared:
        key, rows = input_rows(tensors, assignment)
        network.put("input_rows", rows[skip:], key)
    put_layers(network, tensors, used, layers, path)
    check_rest(tensors, used, assignment, arguments)
    network.training_summary = {"source": "PyTorch state_dict"}
    return network


def put_layers(network, tensors, used, layers, path):
    network.gru_biases = any(layer["bias_ih"] in tensors for layer in layers)
    for number, layer in enumerate(layers):
        for part, ours in zip(PARTS, OURS):
            if part.startswith("bias") and not network.gru_biases:
                continue
            value = take(tensors, used, layer[part], path)
            if (number, part, network.embedding) != (0, "weight_ih", "none"):
                network.put("layer%d.%s" % (number, ours), value, layer[part])


def check_rows(tensors, assignment, arguments, items):
    """Rows of padding of embedding and output. Raises where the items are not as many as rows."""
    key, rows = input_rows(tensors, assignment)
    output = tensors[assignment.output]
    skip = arguments.padding_rows
    skip_output = skip if arguments.output_padding_rows is None else arguments.output_padding_rows
    if assignment.embedding is None and abs(len(rows) - items) > MOST_PADDING and \
            len(rows) - skip != items:
        raise UsageError("%s takes %d inputs and there are %d items: name the rows that enter the "
                         "first layer with --embedding, the same key as --output if the weights "
                         "are tied (without it the input is one-hot)" % (key, len(rows), items))
    if len(rows) - skip == items == len(output) - skip_output:
        return skip, skip_output
    text = "%s has %d %s" % (key, len(rows), "rows" if assignment.embedding else "inputs")
    if assignment.output != key:
        text += ", %s %d rows" % (assignment.output, len(output))
    if skip or skip_output:
        text += ", of which %d and %d are left out as padding" % (skip, skip_output)
    text += "; %s has %d items. " % (arguments.items, items)
    wanted = (len(rows) - items, len(output) - items)
    if min(wanted) < 0:
        raise DataError(text + "Each item needs a row in each of them")
    text += "If what is too much are rows at the start that belong to no item (padding): " + \
        " ".join(padding_words(*wanted) or ["--padding-rows 0"]) + \
        " (--padding-rows is for --embedding, and for --output too unless " \
        "--output-padding-rows says another number)."
    text += " %s 0 of %s is %sall zeros%s" % (
        ("Row" if assignment.embedding else "Input", key) +
        (("", ", as nn.Embedding(padding_idx=0) keeps it") if first_is_zero(rows) else
         ("not ", "")))
    if first_is_zero(rows[::-1]) and not first_is_zero(rows):
        text += "; the last row is: padding at the end is to be cut off before it is saved"
    raise DataError(text)


def check_rest(tensors, used, assignment, arguments):
    """Raises DataError for a tensor that is neither used nor ignored; tied ones may stand twice."""
    ignored = set(arguments.ignore)
    for key in sorted(ignored - set(tensors)):
        raise DataError("--ignore %s: there is no such tensor in %s" % (key, arguments.input))
    same = twins(tensors)
    named = {same[key]: key for key in (assignment.embedding, assignment.output) if key}
    if assignment.embedding and assignment.embedding != assignment.output and len(named) == 1:
        stint_export.note(PROGRAM, "%s and %s hold the same numbers: with one of them for both "
                          "--embedding and --output the model is smaller" %
                          (assignment.embedding, assignment.output))
    rest = sorted(set(tensors) - used - ignored)
    for key in [key for key in rest if same.get(key) in named]:
        stint_export.note(PROGRAM, "%s holds the same numbers as %s, which is used" %
                          (key, named[same[key]]))
        rest.remove(key)
    if rest:
        bias = [key for key in rest if not assignment.output_bias and
                tensors[key].shape[:1] == tensors[assignment.output].shape[:1]]
        raise DataError("%s: no use was found for %s; %sif the scores do not depend on it: "
                        "--ignore %s" % (arguments.input, ", ".join(rest),
                                         "if the items have biases: --output-bias %s; " % bias[0] if
                                         bias else "", rest[0]))


def command_line(arguments, guess):
    words = ["python3", sys.argv[0], arguments.input]
    if arguments.entry:
        words += ["--entry", arguments.entry]
    words += guess.words() + ["--items", arguments.items or "ITEMS.tsv"]
    if arguments.out:
        words += ["-o", arguments.out]
    return " ".join(shlex.quote(word) for word in words)


def suggest(tensors, arguments):
    """What a run without options says."""
    print("%s has the tensors:\n%s" % (arguments.input, listing(tensors)))
    items = len(stint_items.read_items(arguments.items)[0]) if arguments.items else None
    found = guesses(tensors, items)
    if len(found) == 1:
        print("One assignment fits by names and shapes:")
    else:
        print("%s assignments fit by names and shapes%s" % (len(found) or "No", ":" if found else
              ". Say which tensor is what: --embedding, --output, --output-bias, and --gru or "
              "--cell."))
    for guess in found[:MOST_SHOWN]:
        for remark in guess.remarks:
            print("  - " + remark)
        same = twins(tensors)
        keys = guess.assignment.keys()
        rest = [key for key in sorted(tensors) if key not in keys and same.get(key) not in keys]
        if rest:
            print("  - it has no use for %s: --ignore each, if the scores do not depend on it" %
                  ", ".join(rest))
        print("If it is right:\n  " + command_line(arguments, guess))
    print("Nothing was written.")
    if arguments.out is not None:
        raise UsageError("-o %s: nothing says which tensor is what: --output, --embedding and "
                         "--gru or --cell" % arguments.out)


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
    parser.add_argument("--items", metavar="FILE", help="item ids in the order of rows: a TSV or "
                        "CSV with the column ItemId and, if it is known, Count; without the "
                        "padding rows")
    parser.add_argument("--padding-rows", type=int, default=0, metavar="N", help="so many rows at "
                        "the start belong to no item, as of nn.Embedding(padding_idx=0)")
    parser.add_argument("--output-padding-rows", type=int, metavar="N", help="of --output and "
                        "--output-bias, if they are not as many there")
    parser.add_argument("--final-activation", default="softmax", metavar="NAME",
                        help="of training; it is only recorded (default: softmax)")
    parser.add_argument("--ignore", metavar="KEY", action="append", default=[],
                        help="a tensor that the scores do not depend on")
    return parser, parser.parse_args()


def main():
    parser, arguments = parse()
    named = arguments.gru is not None or arguments.cell or arguments.ignore or any(
        key is not None for key in (arguments.output, arguments.embedding, arguments.output_bias))
    if named:
        if arguments.output is None:
            parser.error("--output is needed: the rows that score the items")
        if (arguments.gru is None) == (not arguments.cell):
            parser.error("one of --gru and --cell is needed: the recurrent layers")
        if arguments.items is None:
            parser.error("--items is needed: a state_dict does not know the ids")
        if arguments.padding_rows < 0 or (arguments.output_padding_rows or 0) < 0:
            parser.error("--padding-rows, --output-padding-rows: expected 0 or more")

    def run():
        tensors = load(arguments.input, arguments.entry)
        if not named:
            return suggest(tensors, arguments)
        layers = cell_layers(tensors, arguments.cell) if arguments.cell else \
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
