#!/usr/bin/env python3
# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""A folder -> models of random weights as other engines save them, and FOLDER/cases.json: which
exporter takes which, with which options, what the models answer (computed here in float64, apart
from the exporters), and what is refused with which words. Needs numpy and torch."""

import json
import os
import pickle
import sys

import numpy as np
import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "stand_ins"))
import gru4rec  # noqa: E402
import gru4rec_pytorch  # noqa: E402

ITEMS = 70
SESSIONS = 10
FOLDER = sys.argv[1]
MODULES = os.path.dirname(os.path.abspath(gru4rec.__file__))
draw = np.random.RandomState(7)
cases = []
refusals = []


def path(name):
    return os.path.join(FOLDER, name)


def write(name, text):
    with open(path(name), "w", encoding="utf-8") as stream:
        stream.write(text)
    return path(name)


def uniform(*shape):
    return draw.uniform(-0.9, 0.9, size=shape).astype(np.float32)


def fill(module):
    """Random weights for all parameters of a module of torch's."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.from_numpy(uniform(*parameter.shape)))
    return module


def integer_ids():
    return (1000 + 7 * draw.permutation(ITEMS)).tolist()


NAMES = ["socks, red", "5\" nail", "'quoted'", "\"", "a\\b", "\u00e4pfel", "NA", "-", "1e3", "007"]
NAMES += ["item %d" % i for i in range(ITEMS - len(NAMES))]


# ---- What the models answer.

def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def elu(x):
    return np.where(x < 0, 0.5 * (np.exp(x) - 1), x)


def theano_step(x, h, weights, act):
    """x: the sums of the input, biases included, [candidate | reset | update]."""
    Wrz, Wh = (np.float64(weights[name]) for name in ("Wrz", "Wh"))
    n = len(h)
    r = sigmoid(x[n:2 * n] + h @ Wrz[:, :n])
    z = sigmoid(x[2 * n:] + h @ Wrz[:, n:])
    return (1 - z) * h + z * act(x[:n] + (r * h) @ Wh)


def torch_step(cell, x, h):
    x, h = (torch.from_numpy(np.float64(v))[None] for v in (x, h))
    double = torch.nn.GRUCell(cell.input_size, cell.hidden_size, cell.bias).double()
    double.load_state_dict(cell.state_dict())
    with torch.no_grad():
        return double(x, h)[0].numpy()


def answers(ids, scores_of):
    """Sessions, their top 20 and its scores; sessions with a near tie there are left out."""
    found = []
    while len(found) < SESSIONS:
        rows = draw.randint(0, len(ids), size=draw.randint(1, 7)).tolist()
        scores = scores_of(rows)
        order = np.argsort(-scores)[:21]
        if np.min(-np.diff(scores[order])) > 2e-5:
            found.append({"items": [str(ids[row]) for row in rows],
                          "top": [str(ids[row]) for row in order[:20]],
                          "scores": scores[order[:20]].tolist()})
    return found


def accept(name, exporter, arguments, ids, scores_of, **more):
    cases.append(dict(more, name=name, exporter=exporter, arguments=arguments,
                      ids=[str(item) for item in ids], sessions=answers(ids, scores_of)))


def refuse(name, exporter, arguments, words, status=3):
    refusals.append({"name": name, "exporter": exporter, "arguments": arguments, "words": words,
                     "status": status})


# ---- The official PyTorch code.

def item_map(module, ids):
    """The map in an order that is not that of the rows, as if sorted by id."""
    order = draw.permutation(len(ids))
    try:
        import pandas
        return pandas.Series(data=order, index=[ids[i] for i in order])
    except ImportError:
        index = np.array(ids) if isinstance(ids[0], int) else np.array(ids, dtype=object)
        return module.ItemMap(index[order], order)


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
            accept(name, exporter, [path(name + ".pt"), "--module-path", MODULES], ids,
                   pytorch_scores(gru), favorite=str(ids[ITEMS // 3]))
    # Test sessions of a log: out of order, one unknown item.
    ids = integer_ids()
    gru = pytorch_object([12], -1, ids)
    torch.save(gru, path("log.pt"))
    write("log.tsv", "when\tvisit\tproduct\n" + "".join(
        "%s\t%d\t%d\n" % (20 - i, i % 5, ids[i]) for i in range(20)))
    write("unknown.tsv", "Time\tSessionId\tItemId\n1\ta\t%d\n2\ta\tnobody\n3\ta\t%d\n" %
          (ids[5], ids[6]))
    module = ["--module-path", MODULES]
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
    refuse("no file", exporter, [path("nothing.pt")] + module, ["nothing.pt"])
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


# ---- The official Theano and TensorFlow code.

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


def save_pickle(name, value, protocol=2):
    with open(path(name), "wb") as stream:
        pickle.dump(value, stream, protocol)
    return path(name)


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


# ---- A plain state_dict.

def network_scores(table, cells, rows_out, biases):
    """cells: nn.GRUCell each; table [V, I]; rows_out [V, H]."""
    def scores(rows):
        states = [np.zeros(cell.hidden_size) for cell in cells]
        for row in rows:
            x = table[row]
            for layer, cell in enumerate(cells):
                x = states[layer] = torch_step(cell, x, states[layer])
        return np.float64(rows_out) @ states[-1] + biases
    return scores


def cells_of_gru(gru):
    cells = []
    for layer in range(gru.num_layers):
        cell = torch.nn.GRUCell(gru.hidden_size if layer else gru.input_size, gru.hidden_size,
                                gru.bias)
        cell.load_state_dict({part: getattr(gru, "%s_l%d" % (part, layer))
                              for part in cell.state_dict()})
        cells.append(cell)
    return cells


def array(tensor):
    return tensor.detach().numpy()


def save_safetensors(name, tensors):
    header, data = {}, b""
    for key, value in tensors.items():
        value = np.ascontiguousarray(array(value))
        header[key] = {"dtype": "F32", "shape": list(value.shape),
                       "data_offsets": [len(data), len(data) + value.nbytes]}
        data += value.tobytes()
    text = json.dumps(header).encode()
    with open(path(name), "wb") as stream:
        stream.write(len(text).to_bytes(8, "little") + text + data)
    return path(name)


def items_file(name, ids):
    return write(name, "ItemId\n" + "".join("%s\n" % item for item in ids))


def make_state_dict():
    exporter = "export_state_dict.py"
    ids = integer_ids()
    items = items_file("ids.tsv", ids)
    separate = fill(torch.nn.ModuleDict({"emb": torch.nn.Embedding(ITEMS + 1, 9),
                                         "gru": torch.nn.GRU(9, 12, num_layers=2),
                                         "out": torch.nn.Linear(12, ITEMS)}))
    file = path("separate.pt")
    torch.save({"epoch": 3, "model": separate.state_dict()}, file)
    options = ["--embedding", "emb.weight", "--gru", "gru", "--output", "out.weight",
               "--output-bias", "out.bias", "--items", items, "--entry", "model"]
    accept("state_dict_separate", exporter,
           [file] + options + ["--padding-rows", "1", "--output-padding-rows", "0"], ids,
           network_scores(array(separate["emb"].weight)[1:], cells_of_gru(separate["gru"]),
                          array(separate["out"].weight), array(separate["out"].bias)))
    refuse("state_dict padding", exporter, [file] + options, ["emb.weight", "[71, 9]", "[70, any]"])
    refuse("no entry", exporter, [file] + options[:-2], ["--entry", "epoch, model"])
    refuse("no such key", exporter, [file] + options[:5] + ["head.weight"] + options[6:],
           ["'head.weight'", "out.weight [70, 12] float32"])
    refuse("not used", exporter, [file] + options[:6] + options[8:] + ["--padding-rows", "1",
           "--output-padding-rows", "0"], ["no use was found for out.bias", "--ignore out.bias"])

    tied = fill(torch.nn.ModuleDict({"rows": torch.nn.Embedding(ITEMS + 2, 12), "cells":
                                     torch.nn.ModuleList([torch.nn.GRUCell(12, 10, bias=False),
                                                          torch.nn.GRUCell(10, 12, bias=False)]),
                                     "extra": torch.nn.Linear(3, 3, bias=False)}))
    file = save_safetensors("tied.safetensors", tied.state_dict())
    options = ["--embedding", "rows.weight", "--output", "rows.weight", "--cell", "cells.0",
               "--cell", "cells.1", "--padding-rows", "2", "--items", items]
    table = array(tied["rows"].weight)[2:]
    accept("state_dict_tied", exporter, [file, "--ignore", "extra.weight"] + options, ids,
           network_scores(table, list(tied["cells"]), table, 0.0))
    refuse("input itself", exporter,
           [file, "-o", path("tied"), "--ignore", "extra.weight"] + options,
           ["tied.safetensors", "overwritten"])
    refuse("not ignored", exporter, [file] + options, ["extra.weight"])
    refuse("nothing to ignore", exporter, [file, "--ignore", "other"] + options, ["--ignore other"])

    one_hot = fill(torch.nn.ModuleDict({"gru": torch.nn.GRU(ITEMS, 12),
                                        "out": torch.nn.Linear(12, ITEMS)}))
    file = path("one_hot.pth")
    torch.save(one_hot.state_dict(), file)
    suggestion = ["--gru", "gru", "--output", "out.weight", "--output-bias", "out.bias", "--items"]
    accept("state_dict_one_hot", exporter, [file] + suggestion + [items], ids,
           network_scores(np.eye(ITEMS), cells_of_gru(one_hot["gru"]), array(one_hot["out"].weight),
                          array(one_hot["out"].bias)))
    refuse("only a list", exporter, [file], ["gru.weight_ih_l0 [36, 70] float32", "One assignment",
                                             " ".join(suggestion), "Nothing was written"], 2)
    refuse("no items", exporter, [file] + suggestion[:-1], ["--items"], 2)
    refuse("no network", exporter, [file, "--gru", "gru", "--items", items], ["--output"], 2)
    refuse("fewer items", exporter, [file] + suggestion + [items_file("few.tsv", ids[1:])],
           ["out.weight", "[70, 12]", "[69, 12]"])

    both = torch.nn.ModuleDict({"gru": torch.nn.GRU(ITEMS, 6, bidirectional=True)})
    torch.save(both.state_dict(), path("both.pt"))
    refuse("two directions", exporter, [path("both.pt"), "--gru", "gru", "--output", "x", "--items",
                                        items], ["two directions"])
    torch.save([1, 2], path("list.pt"))
    refuse("no dict", exporter, [path("list.pt")], ["no dict of tensors"])
    write("short.safetensors", "abc")
    refuse("no safetensors", exporter, [path("short.safetensors")], ["too short"])


def main():
    make_pytorch()
    make_theano()
    make_tensorflow()
    make_state_dict()
    write("cases.json", json.dumps({"cases": cases, "refusals": refusals}))


main()
