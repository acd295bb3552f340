# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""Pickles and joblib dumps of the official Theano and TensorFlow GRU4Rec, by stand_ins/gru4rec.py,
and what their exporters must say of them."""

import csv

import numpy as np

from checkpoint_cases import (ITEMS, NAMES, accept, draw, elu, integer_ids, item_map, path, refuse,
                              save_pickle, theano_step, uniform, write)
import gru4rec  # of stand_ins

def theano_object(layers, embedding, ids, hidden_act="tanh"):
    gru = gru4rec.GRU4Rec()
    inputs = [layers[-1] if embedding < 0 else embedding] + layers[:-1]
    gru.layers = layers
    gru.embedding = max(embedding, 0)
    gru.constrained_embedding = embedding < 0
    gru.Wx = [uniform(width or len(ids), 3 * units) for width, units in zip(inputs, layers)]
    gru.Wrz = [uniform(units, 2 * units) for units in layers]
    gru.Wh = [uniform(units, units) for units in layers]
    gru.Bh = [uniform(3 * units) for units in layers]
    gru.Wy = uniform(len(ids), layers[-1])
    gru.By = uniform(len(ids), 1)
    if embedding > 0:
        gru.E = uniform(len(ids), embedding)
    gru.itemidmap = item_map(gru4rec, ids)
    gru.hidden_act = hidden_act
    gru.final_act = "elu-0.5"
    gru.learning_rate = np.float32(0.05)
    gru.training_only = gru4rec.Untouched("this")
    return gru


def theano_scores(gru):
    act = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0), "elu-0.5": elu}[gru.hidden_act]

    def scores(rows):
        states = [np.zeros(units) for units in gru.layers]
        for row in rows:
            if gru.constrained_embedding:
                x = np.float64(gru.Wy[row]) @ gru.Wx[0]
            else:
                x = np.float64(gru.E[row]) @ gru.Wx[0] if gru.embedding else gru.Wx[0][row]
            for layer in range(len(states)):
                if layer > 0:
                    x = states[layer - 1] @ gru.Wx[layer]
                weights = {"Wrz": gru.Wrz[layer], "Wh": gru.Wh[layer]}
                states[layer] = theano_step(x + np.float64(gru.Bh[layer]), states[layer], weights,
                                            act)
        return gru.Wy @ states[-1] + np.float64(gru.By).reshape(-1)

    return scores


def make_theano():
    exporter = "export_gru4rec_theano.py"
    acts = iter(["tanh", "relu", "elu-0.5", "tanh", "tanh", "relu"])
    for mode, embedding in (("shared", -1), ("separate", 9), ("none", 0)):
        for layers in ([12], [10, 14]):
            ids = NAMES if mode == "none" else integer_ids()
            gru = theano_object(layers, embedding, ids, next(acts))
            name = "theano_%s_%d" % (mode, len(layers))
            accept(name, exporter, [save_pickle(name + ".pickle", gru, len(layers))], ids,
                   theano_scores(gru))
    gru = theano_object([12], -1, NAMES)
    gru.By = gru.By[:, 0]
    scores = theano_scores(gru)
    counts = draw.randint(1, 50, size=ITEMS).tolist()
    counts[17] = 99
    write("names.tsv", "Count\tItemId\n" + "".join(
        "%d\t%s\n" % pair for pair in zip(counts, NAMES)))
    del gru.itemidmap
    accept("theano_items", exporter, [save_pickle("noitems.pickle", gru), "--items",
                                      path("names.tsv")], NAMES, scores, favorite=NAMES[17])
    with open(path("names.csv"), "w", newline="", encoding="utf-8-sig") as stream:
        csv.writer(stream).writerows([["Count", "ItemId", "Price"]] + [
            [count, name, ""] for count, name in zip(counts, NAMES)])
    accept("theano_csv", exporter, [path("noitems.pickle"), "--items", path("names.csv")], NAMES,
           scores, favorite=NAMES[17])
    refuse("theano no map", exporter, [path("noitems.pickle")],
           ["itemidmap", "--map", "Wy: float32"])

    def broken(name, change, words, options=()):
        value = theano_object([10, 14], 9, integer_ids())
        change(value)
        file = save_pickle("bad_theano_%s.pickle" % name.replace(" ", "_"), value)
        refuse("theano " + name, exporter, [file] + list(options), words)

    broken("no gates", lambda value: delattr(value, "Wrz"), ["Wrz0", "Wx.0: float32 [9, 30]"])
    broken("one layer", lambda value: value.Wh.pop(), ["Wh1", "--map Wh1=PATH"])
    broken("nan", lambda value: value.Bh[1].__setitem__(2, np.inf), ["Bh.1[2] is inf"])
    broken("shape", lambda value: value.Wx.__setitem__(1, uniform(10, 41)),
           ["Wx.1", "[10, 41]", "[10, 42]"])
    broken("integers", lambda value: setattr(value, "By", np.arange(ITEMS)), ["By", "int64"])
    broken("objects", lambda value: setattr(value, "Wy", gru4rec.Untouched(1)),
           ["gru4rec.Untouched", "expected a numpy array"])
    broken("activation", lambda value: setattr(value, "hidden_act", "cubic"), ["'cubic'"])
    ids = integer_ids()
    write("twice.tsv", "ItemId\n" + "".join("%d\n" % item for item in ids[:-1] + ids[:1]))
    broken("double id", lambda value: None, ["stands twice"], ["--items", path("twice.tsv")])
    write("count.tsv", "ItemId\tCount\n1\tmany\n")
    broken("count", lambda value: None, ["count.tsv:2", "'many'"], ["--items", path("count.tsv")])
    write("large.tsv", "ItemId\tCount\n1\t4294967296\n")
    broken("large count", lambda value: None, ["large.tsv:2", "'4294967296'", "4294967295"],
           ["--items", path("large.tsv")])
    write("open.csv", "Count,ItemId\n1,\"socks\n")
    broken("open quote", lambda value: None, ["open.csv:2", "is no CSV"],
           ["--items", path("open.csv")])
    refuse("theano without numpy", exporter, [path("noitems.pickle")],
           ["export_gru4rec_theano: error: numpy is missing"], without="numpy")
    write("text.pickle", "this is no pickle\n")
    refuse("no pickle", exporter, [path("text.pickle")], ["text.pickle is no pickle"])
    refuse("no such name", exporter, [path("noitems.pickle"), "--map", "Wz=Wy"], ["--map Wz=Wy"], 2)


def make_tensorflow():
    exporter = "export_gru4rec_tensorflow.py"
    for mode, embedding in (("shared", -1), ("separate", 9), ("none", 0)):
        for layers in ([12], [10, 14]):
            ids = integer_ids()
            gru = theano_object(layers, embedding, ids)
            del gru.hidden_act, gru.final_act
            gru.loss = "bpr-max" if len(layers) == 2 else "cross-entropy"
            gru.elu_param = 0
            name = "tensorflow_%s_%d" % (mode, len(layers))
            scores = theano_scores(dict_object(gru, hidden_act="tanh"))
            try:
                import joblib
                joblib.dump(gru, path(name + ".joblib"))
            except ImportError:
                save_pickle(name + ".joblib", gru)
            accept(name, exporter, [path(name + ".joblib")], ids, scores)
    ids = integer_ids()
    gru = theano_object([10, 14], -1, ids)
    odd = gru4rec.GRU4Rec()
    odd.loss = "cross-entropy"
    odd.weights = {"gru": [{"kernel": gru.Wx[i], "gates": gru.Wrz[i], "candidate": gru.Wh[i]}
                           for i in range(2)], "biases": gru.Bh, "out": (gru.Wy, gru.By)}
    odd.settings = {"layers": [10, 14], "embedding": 0, "constrained_embedding": True}
    odd.ids = gru.itemidmap
    file = save_pickle("odd.joblib", odd)
    maps = ["Wx0=weights.gru[0].kernel", "Wx1=weights.gru[1].kernel", "Wrz0=weights.gru.0.gates",
            "Wrz1=weights.gru.1.gates", "Wh0=weights.gru.0.candidate", "Bh=weights.biases",
            "Wh1=weights.gru.1.candidate", "Wy=weights.out.0", "By=weights.out.1", "itemidmap=ids",
            "layers=settings.layers", "embedding=settings.embedding",
            "constrained_embedding=settings.constrained_embedding"]
    words = [word for entry in maps for word in ("--map", entry)]
    accept("tensorflow_map", exporter, [file] + words, ids, theano_scores(gru))
    refuse("tensorflow names", exporter, [file], ["layers", "settings.layers.0 = 10",
                                                  "weights.gru.1.gates: float32 [14, 28]"])
    refuse("wrong map", exporter, [file] + words[:-2] + ["--map", "constrained_embedding=nothing"],
           ["constrained_embedding was not found at nothing"])
    with open(path("zlib.joblib"), "wb") as stream:
        stream.write(b"\x78\x9c not zlib")
    refuse("no joblib dump", exporter, [path("zlib.joblib")], ["zlib.joblib", "joblib"])


def dict_object(value, **more):
    copy = gru4rec.GRU4Rec()
    copy.__dict__.update(vars(value), **more)
    return copy
