# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of the official PyTorch GRU4Rec, by stand_ins/gru4rec_pytorch.py, and what their
exporter must say of them."""

import os

import numpy as np
import torch

from checkpoint_cases import (ITEMS, NAMES, STAND_INS, accept, draw, fill, integer_ids, item_map,
                              path, refuse, theano_step, torch_step, write)
import gru4rec_pytorch  # of stand_ins

def pytorch_object(layers, embedding, ids, loss="cross-entropy", **more):
    gru = gru4rec_pytorch.GRU4Rec(len(ids), layers, embedding, loss, **more)
    fill(gru.model)
    events = np.concatenate([np.arange(len(ids)), draw.randint(0, len(ids), size=300),
                             np.full(50, len(ids) // 3)])
    gru.data_iterator = gru4rec_pytorch.DataIterator(item_map(gru4rec_pytorch, ids), events)
    return gru


def pytorch_scores(gru):
    model = gru.model
    table = model.Wy if gru.constrained_embedding else getattr(model, "E", None)

    def scores(rows):
        states = [np.zeros(units) for units in gru.layers]
        for row in rows:
            cells = list(model.G)
            if table is None:
                first = model.GE
                weights = {"Wrz": first.Wrz0.detach().numpy(), "Wh": first.Wh0.detach().numpy()}
                sums = np.float64(first.Wx0.weight[row].detach().numpy()) + \
                    first.Bh0.detach().numpy()
                x = states[0] = theano_step(sums, states[0], weights, np.tanh)
            else:
                x = table.weight[row].detach().numpy()
            for layer, cell in enumerate(cells, len(states) - len(cells)):
                x = states[layer] = torch_step(cell, x, states[layer])
        return np.float64(model.Wy.weight.detach().numpy()) @ states[-1] + \
            model.By.weight.detach().numpy()[:, 0]

    return scores


def make_pytorch():
    exporter = "export_gru4rec_pytorch.py"
    for mode, embedding in (("shared", -1), ("separate", 9), ("none", 0)):
        for layers in ([12], [10, 14]):
            ids = NAMES if mode == "separate" else integer_ids()
            loss = "bpr-max" if len(layers) == 2 else "cross-entropy"
            gru = pytorch_object(layers, embedding, ids, loss)
            name = "pytorch_%s_%d" % (mode, len(layers))
            torch.save(gru, path(name + ".pt"))
            accept(name, exporter, [path(name + ".pt"), "--module-path", STAND_INS], ids,
                   pytorch_scores(gru), favorite=str(ids[ITEMS // 3]))
    # Test sessions of a log: out of order, one unknown item.
    ids = integer_ids()
    gru = pytorch_object([12], -1, ids)
    torch.save(gru, path("log.pt"))
    write("log.tsv", "when\tvisit\tproduct\n" + "".join(
        "%s\t%d\t%d\n" % (20 - i, i % 5, ids[i]) for i in range(20)))
    write("unknown.tsv", "Time\tSessionId\tItemId\n1\ta\t%d\n2\ta\tnobody\n3\ta\t%d\n" %
          (ids[5], ids[6]))
    module = ["--module-path", STAND_INS]
    columns = ["--session-column", "visit", "--item-column", "product", "--time-column", "when"]
    by_time = [[str(ids[i]) for i in range(19, -1, -1) if i % 5 == session] for session in range(5)]
    log = [path("log.pt"), "--sessions", path("log.tsv")] + module
    favorite = str(ids[ITEMS // 3])
    accept("pytorch_log", exporter, log + columns, ids, pytorch_scores(gru), favorite=favorite,
           test_sessions=by_time)
    accept("pytorch_log_some", exporter, log + columns + ["--test-sessions", "2"], ids,
           pytorch_scores(gru), favorite=favorite, test_sessions=[by_time[0], by_time[2]])
    unknown = [path("log.pt"), "--sessions", path("unknown.tsv")] + module
    accept("pytorch_drop_unknown", exporter, unknown + ["--drop-unknown"], ids, pytorch_scores(gru),
           favorite=favorite, test_sessions=[[str(ids[5]), str(ids[6])]])
    refuse("unknown item", exporter, unknown, ["unknown.tsv:3:", "'nobody'"])
    refuse("no such columns", exporter, log, ["log.tsv", "'SessionId'", "'visit'"])
    refuse("no module", exporter, [path("log.pt")], ["gru4rec_pytorch", "--module-path"])
    refuse("module path", exporter, [path("log.pt"), "--module-path", path("nowhere")],
           ["--module-path", "nowhere"], 2)
    refuse("no sessions", exporter, [path("log.pt"), "--test-sessions", "0"], ["--test-sessions"],
           2)
    refuse("no file", exporter, [path("nothing.pt")] + module,
           ["error: " + path("nothing.pt") + ": No such file or directory"])
    refuse("no log", exporter, [path("log.pt"), "--sessions", path("nothing.tsv")] + module,
           ["error: " + path("nothing.tsv") + ": No such file or directory"])
    with open(path("log.tsv"), "rb") as stream:
        write("own.sessions.json", stream.read().decode())
    refuse("own log", exporter, [path("log.pt"), "--sessions", path("own.sessions.json"), "-o",
                                 path("own")] + module + columns,
           ["own.sessions.json: the input would be overwritten"], 2)
    refuse("pytorch without numpy", exporter, [path("log.pt")] + module,
           ["export_gru4rec_pytorch: error: numpy is missing"], without="numpy")
    refuse("pytorch without torch", exporter, [path("log.pt")] + module, ["torch is missing"],
           without="torch")
    refuse("no folder", exporter, [path("log.pt"), "-o", path("nowhere/shop")] + module,
           ["error: " + path("nowhere/shop.safetensors") + ": No such file or directory"])
    os.mkdir(path("refused_folder.items.tsv"))
    refuse("a folder there", exporter, [path("log.pt"), "-o", path("refused_folder")] + module,
           ["error: " + path("refused_folder.items.tsv") + ": Is a directory"])
    refuse_pytorch(exporter, module)


def refuse_pytorch(exporter, module):
    def broken(name, change, words, **more):
        gru = pytorch_object([12], more.pop("embedding", -1), integer_ids(), **more)
        change(gru)
        file = path("bad_%s.pt" % name.replace(" ", "_"))
        torch.save(gru, file)
        refuse("pytorch " + name, exporter, [file] + module, words)

    def set_weight(gru):
        with torch.no_grad():
            gru.model.Wy.weight[3, 5] = float("nan")

    def narrow(gru):
        gru.model.G[0].weight_hh = torch.nn.Parameter(torch.zeros(36, 11))

    def double_id(gru):
        ids = integer_ids()
        ids[9] = ids[4]
        gru.data_iterator.itemidmap = gru4rec_pytorch.ItemMap(np.array(ids), np.arange(ITEMS))

    def double_row(gru):
        gru.data_iterator.itemidmap = gru4rec_pytorch.ItemMap(
            np.array(integer_ids()), np.minimum(np.arange(ITEMS), ITEMS - 2))

    def fractions(gru):
        gru.data_iterator.itemidmap = gru4rec_pytorch.ItemMap(
            np.arange(ITEMS) + 0.5, np.arange(ITEMS))

    def fewer(gru):
        gru.data_iterator.itemidmap = gru4rec_pytorch.ItemMap(np.arange(ITEMS - 1),
                                                              np.arange(ITEMS - 1))

    broken("no biases", lambda gru: delattr(gru.model, "By"),
           ["model.By.weight", "model.Wy.weight"])
    broken("no map", lambda gru: delattr(gru.data_iterator, "itemidmap"), ["itemidmap"])
    broken("no rows", lambda gru: delattr(gru.model, "E"), ["model.E.weight"], embedding=5)
    broken("nan", set_weight, ["model.Wy.weight[3, 5] is nan"])
    broken("shape", narrow, ["model.G.0.weight_hh", "[36, 11]", "[36, 12]"])
    broken("one-hot shape", lambda gru: setattr(gru, "layers", [11]), ["[70, 11]", "[70, 12]"],
           embedding=0)
    broken("double id", double_id, ["stands twice"])
    broken("double row", double_row, ["itemidmap", "69"])
    broken("fractions", fractions, ["0.5", "float"])
    broken("fewer ids", fewer, ["[69, 12]", "[70, 12]"])
    broken("layers", lambda gru: setattr(gru, "layers", [12, 12]), ["model.G has 1 layers"])
    broken("loss", lambda gru: setattr(gru, "loss", "odd"), ["'odd'"])
    broken("event", lambda gru: gru.data_iterator.data_items.__setitem__(3, ITEMS),
           ["data_items", "70"])
    broken("other cell", lambda gru: None, ["differs by", "0.001"],
           cell=gru4rec_pytorch.DoubledCell)
    with open(path("log.pt"), "rb") as stream:
        whole = stream.read()
    with open(path("cut.pt"), "wb") as stream:
        stream.write(whole[:len(whole) // 2])
    refuse("cut checkpoint", exporter, [path("cut.pt")] + module, ["cut.pt"])
