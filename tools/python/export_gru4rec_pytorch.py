#!/usr/bin/env python3
# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint of the official PyTorch GRU4Rec -> the files that `stint convert` reads.

Runs where the model was trained: needs torch, numpy, pandas and the user's copy of the GRU4Rec
code, since the checkpoint is a pickle of the whole object. Loading it runs code: take only your
own."""

import os
import sys

import stint_needs  # noqa: F401, before all others
import numpy as np

import stint_export
import stint_items
import stint_objects
from stint_network import DataError, Network, reason

PROGRAM = "export_gru4rec_pytorch"


def load(path, module_path):
    """The GRU4Rec object, on the CPU."""
    try:
        import torch
    except ImportError:
        raise DataError("torch is missing in this Python, and the checkpoint needs it: run the "
                        "exporter where the model was trained, or pip install torch")
    if module_path:
        sys.path.insert(0, module_path)
    with open(path, "rb"):
        pass  # an error of the system rather than one of torch
    try:
        try:
            return torch.load(path, map_location="cpu", weights_only=False)
        except TypeError:  # torch before 1.13
            return torch.load(path, map_location="cpu")
    except (ImportError, AttributeError) as error:
        missing = (getattr(error, "name", None) or "").split(".")[0]
        if isinstance(error, ImportError) and missing in ("pandas", "numpy"):
            raise DataError("%s: %s: pip install %s" % (path, error, missing))
        raise DataError("%s: %s. The checkpoint refers to the module that it was trained with: "
                        "name the folder of gru4rec_pytorch.py with --module-path" % (path, error))
    except Exception as error:  # the many ways of a pickle or an archive to be broken
        raise DataError("%s: torch cannot load it: %s" % (path, reason(error)))


class Checkpoint:
    """Attributes of the loaded object by path, tensors as numpy arrays."""

    def __init__(self, gru):
        self.gru = gru

    def get(self, path):
        try:
            return stint_objects.follow(self.gru, path)
        except stint_objects.Missing:
            raise DataError("the checkpoint has no %s; found:\n%s" % (path, self.found()))

    def array(self, path):
        value = self.get(path)
        if not hasattr(value, "detach"):
            raise DataError("%s is a %s, expected a tensor" % (path, type(value).__name__))
        value = value.detach().cpu()
        return (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()

    def found(self):
        model = getattr(self.gru, "model", None)
        lines = ["  %s" % name for name in sorted(getattr(self.gru, "__dict__", {}))]
        if hasattr(model, "state_dict"):
            lines += ["  model.%s %s" % (name, list(value.shape))
                      for name, value in model.state_dict().items()]
        return "\n".join(lines)


def cells_of(checkpoint, layers, embedding):
    """{layer: path} of the layers that are nn.GRUCell. model.G has one for each of them; under
    one-hot input the first layer is model.GE."""
    cells = checkpoint.get("model.G") if layers[1:] or embedding != "none" else []
    first = 1 if embedding == "none" else 0
    if len(cells) != len(layers) - first:
        raise DataError("model.G has %d layers, expected %d: layers is %s, embedding %s" %
                        (len(cells), len(layers) - first, layers, embedding))
    return {first + i: "model.G.%d" % i for i in range(len(cells))}


def read_network(gru):
    checkpoint = Checkpoint(gru)
    for name in ("layers", "loss", "embedding", "constrained_embedding"):
        checkpoint.get(name)
    parameters = stint_objects.hyperparameters(gru)
    layers = stint_objects.layer_units(gru.layers)
    embedding = stint_objects.embedding_mode(parameters)
    cells = cells_of(checkpoint, layers, embedding)
    network = Network(embedding, layers,
                      ["pytorch" if layer in cells else "theano" for layer in range(len(layers))],
                      final_activation=stint_objects.final_activation(parameters))
    paths = {"item_rows": "model.Wy.weight", "item_biases": "model.By.weight"}
    if embedding == "separate":
        paths["input_rows"] = "model.E.weight"
    if embedding == "none":
        paths.update({"input_rows": "model.GE.Wx0.weight",
                      "layer0.hidden_weights_gates": "model.GE.Wrz0",
                      "layer0.hidden_weights_candidate": "model.GE.Wh0",
                      "layer0.input_biases": "model.GE.Bh0"})
    for layer, cell in cells.items():
        paths.update({"layer%d.input_weights" % layer: cell + ".weight_ih",
                      "layer%d.hidden_weights" % layer: cell + ".weight_hh",
                      "layer%d.input_biases" % layer: cell + ".bias_ih",
                      "layer%d.hidden_biases" % layer: cell + ".bias_hh"})
    for name, path in paths.items():
        network.put(name, checkpoint.array(path), path)
    network.ids = stint_items.ids_of_map(checkpoint.get("data_iterator.itemidmap"),
                                         "data_iterator.itemidmap")
    network.hyperparameters = parameters
    network.training_summary = {"source": "official PyTorch GRU4Rec"}
    return network


def event_counts(gru, path, items):
    """Events of each item, by the training events in the checkpoint: an array of row numbers."""
    given = path is not None
    try:
        events = np.asarray(stint_objects.follow(gru, path if given else
                                                 "data_iterator.data_items"))
    except stint_objects.Missing:
        if given:
            raise DataError("the checkpoint has no %s" % path)
        return None
    if events.ndim != 1 or events.dtype.kind not in "iu" or not len(events):
        raise DataError("%s has the type %s and the shape %s, expected a list of row numbers" %
                        (path or "data_iterator.data_items", events.dtype, list(events.shape)))
    if events.min() < 0 or events.max() >= items:
        raise DataError("%s has the row number %d, expected 0 to %d" %
                        (path or "data_iterator.data_items",
                         events.min() if events.min() < 0 else events.max(), items - 1))
    return np.bincount(events, minlength=items).tolist()


def torch_scores(gru, network):
    """A function (rows of clicks) -> scores, by the modules of the checkpoint themselves."""
    import torch
    model = gru.model
    model.eval()
    cells = list(model.G) if len(network.layers) > 1 or network.embedding != "none" else []

    def first_layer(item, h):
        """What the GRU of one-hot input makes of a click; it has no module of torch's."""
        first = model.GE
        v = torch.chunk(first.Wx0(item) + first.Bh0, 3, dim=1)
        gates = torch.sigmoid(torch.cat(v[1:], dim=1) + h.mm(first.Wrz0))
        reset, update = torch.chunk(gates, 2, dim=1)
        return (1 - update) * h + update * torch.tanh(v[0] + (reset * h).mm(first.Wh0))

    def scores(rows):
        with torch.no_grad():
            states = [torch.zeros(1, units) for units in network.layers]
            for row in rows:
                item = torch.tensor([row], dtype=torch.int64)
                layer = 0
                if network.embedding == "none":
                    x = states[0] = first_layer(item, states[0])
                    layer = 1
                else:
                    x = model.Wy(item) if network.embedding == "shared" else model.E(item)
                for cell in cells:
                    x = states[layer] = cell(x, states[layer])
                    layer += 1
            return (x.mm(model.Wy.weight.t()) + model.By.weight.reshape(1, -1))[0].numpy()

    return scores


def main():
    parser = stint_export.make_parser(
        __doc__, "  %(prog)s shop.pt --module-path ~/GRU4Rec_PyTorch -o shop\n"
        "  %(prog)s shop.pt --module-path ~/GRU4Rec_PyTorch --sessions test.tsv -o shop\n")
    parser.add_argument("input", metavar="CHECKPOINT", help="what the official code saved")
    parser.add_argument("--module-path", metavar="DIR", help="the folder of gru4rec_pytorch.py")
    parser.add_argument("--count-events", metavar="PATH", help="the attribute with the row "
                        "numbers of all training events (default: data_iterator.data_items, if it "
                        "is there)")
    arguments = parser.parse_args()
    if arguments.module_path and not os.path.isdir(arguments.module_path):
        parser.error("--module-path: %s is no folder" % arguments.module_path)

    def run():
        gru = load(arguments.input, arguments.module_path)
        network = read_network(gru)
        network.check()
        network.counts = event_counts(gru, arguments.count_events, len(network.ids))
        stint_export.export(PROGRAM, arguments, network, torch_scores(gru, network))

    return stint_export.main(PROGRAM, arguments, run)


if __name__ == "__main__":
    sys.exit(main())
