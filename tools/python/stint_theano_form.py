# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""A trained object of the official Theano or TensorFlow GRU4Rec, whose cells are the same -> a
Network. Arrays are found by the names of the official code, or where --map says."""

import re

import numpy as np

import stint_export
import stint_items
import stint_objects
from stint_network import DataError, Network

# Roots under which the official names are looked for.
ROOTS = ("", "model.")
PARAMETERS = ("layers", "embedding", "constrained_embedding", "hidden_act", "final_act", "loss",
              "elu_param")
NAME = re.compile(r"^(E|Wy|By|itemidmap|(Wx|Wrz|Wh|Bh)[0-9]*|%s)$" % "|".join(PARAMETERS))


def add_options(parser):
    parser.add_argument("--map", action="append", default=[], metavar="NAME=PATH",
                        help="where something is, if not under its name: NAME is Wx, Wrz, Wh or Bh "
                        "(a list, one a layer), one of them with the number of a layer (Wx0), Wy, "
                        "By, E, itemidmap, layers, embedding, constrained_embedding, hidden_act, "
                        "final_act, loss or elu_param; PATH goes by attributes, keys and "
                        "positions, as model.weights.0")
    parser.add_argument("--items", metavar="FILE", help="item ids in the order of rows: a TSV or "
                        "CSV with the column ItemId and, if it is known, Count; in place of "
                        "itemidmap")
    parser.add_argument("--hidden-activation", metavar="NAME", help="in place of hidden_act")
    parser.add_argument("--final-activation", metavar="NAME", help="in place of final_act or loss")


def parse_map(parser, values):
    paths = {}
    for value in values:
        name, equals, path = value.partition("=")
        if not equals or not path or not NAME.match(name) or name in paths:
            parser.error("--map %s: expected NAME=PATH with a known name, each once" % value)
        paths[name] = path
    return paths


class Finder:
    """Parts of the loaded object by their official names."""

    def __init__(self, value, paths):
        self.value = value
        self.paths = paths

    def candidates(self, name):
        base, layer = re.match(r"^(Wx|Wrz|Wh|Bh)?([0-9]*)", name).groups()
        if name in self.paths:
            return [self.paths[name]]
        if base and layer:
            if base in self.paths:
                return ["%s.%s" % (self.paths[base], layer)]
            return ["%s%s.%s" % (root, base, layer) for root in ROOTS]
        return [root + name for root in ROOTS]

    def find(self, name):
        """(path, part), or (None, None)."""
        for path in self.candidates(name):
            try:
                part = stint_objects.follow(self.value, path)
            except stint_objects.Missing:
                continue
            if part is not None:
                return path, part
        return None, None

    def need(self, name):
        path, part = self.find(name)
        if path is None:
            raise DataError("%s was not found at %s; say where it is with --map %s=PATH. "
                            "Found:\n%s" % (name, " or ".join(self.candidates(name)), name,
                                            stint_objects.contents(self.value)))
        return path, part

    def array(self, name):
        path, part = self.need(name)
        if not isinstance(part, np.ndarray):
            kind = getattr(part, "stands_for", type(part).__name__)
            raise DataError("%s is a %s, expected a numpy array; say where it is with "
                            "--map %s=PATH. Found:\n%s" %
                            (path, kind, name, stint_objects.contents(self.value)))
        return part, path


def parameters_of(finder):
    found = stint_objects.hyperparameters(finder.value)
    for name in PARAMETERS:
        _, part = finder.find(name)
        if part is not None:
            found[name] = stint_objects.plain(part)
    return found


def activations(arguments, finder, parameters, theano):
    """Names of the hidden and of the final one. TensorFlow's code has tanh, and says a loss."""
    hidden = arguments.hidden_activation or \
        (stint_objects.plain(finder.need("hidden_act")[1]) if theano else "tanh")
    if arguments.final_activation:
        return hidden, arguments.final_activation
    if theano:
        return hidden, stint_objects.plain(finder.need("final_act")[1])
    return hidden, stint_objects.final_activation(parameters)


def read_network(value, arguments, paths, theano):
    """The network in what was loaded; theano says which of the two codes wrote it."""
    finder = Finder(value, paths)
    for name in ("layers", "embedding", "constrained_embedding"):
        finder.need(name)
    parameters = parameters_of(finder)
    layers = stint_objects.layer_units(parameters["layers"])
    embedding = stint_objects.embedding_mode(parameters)
    hidden, final = activations(arguments, finder, parameters, theano)
    network = Network(embedding, layers, ["theano"] * len(layers), hidden, final)
    names = {"item_rows": "Wy", "item_biases": "By"}
    if embedding == "separate":
        names["input_rows"] = "E"
    for layer in range(len(layers)):
        first = layer == 0 and embedding == "none"
        names["input_rows" if first else "layer%d.input_weights" % layer] = "Wx%d" % layer
        names["layer%d.hidden_weights_gates" % layer] = "Wrz%d" % layer
        names["layer%d.hidden_weights_candidate" % layer] = "Wh%d" % layer
        names["layer%d.input_biases" % layer] = "Bh%d" % layer
    for ours, name in names.items():
        network.put(ours, *finder.array(name))
    if arguments.items:
        network.ids, network.counts = stint_items.read_items(arguments.items)
    else:
        path, item_map = finder.need("itemidmap")
        network.ids = stint_items.ids_of_map(item_map, path)
    network.hyperparameters = parameters
    network.training_summary = {"source": "official %s GRU4Rec" %
                                          ("Theano" if theano else "TensorFlow")}
    return network


def run_exporter(program, description, examples, theano):
    """The whole of an exporter's command line; exit status."""
    parser = stint_export.make_parser(description, examples)
    parser.add_argument("input", metavar="FILE", help="what the official code saved")
    add_options(parser)
    arguments = parser.parse_args()
    paths = parse_map(parser, arguments.map)

    def run():
        value = stint_objects.load(arguments.input)
        stint_export.export(program, arguments, read_network(value, arguments, paths, theano))

    return stint_export.main(program, arguments, run)
