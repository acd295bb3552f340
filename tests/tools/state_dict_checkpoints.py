# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""state_dicts of plain PyTorch modules, and what their exporter must say of them."""

import json

import numpy as np
import torch

from checkpoint_cases import (ITEMS, accept, fill, integer_ids, list_only, path, refuse,
                              torch_step, write)

EXPORTER = "export_state_dict.py"


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


def modules(**named):
    return fill(torch.nn.ModuleDict(named))


def save(name, value):
    torch.save(value, path(name))
    return path(name)


def make_separate(ids, items):
    """Padding in the embedding alone, and an entry of a checkpoint."""
    separate = modules(emb=torch.nn.Embedding(ITEMS + 1, 9), gru=torch.nn.GRU(9, 12, num_layers=2),
                       out=torch.nn.Linear(12, ITEMS))
    file = save("separate.pt", {"epoch": 3, "model": separate.state_dict()})
    options = ["--embedding", "emb.weight", "--gru", "gru", "--output", "out.weight",
               "--output-bias", "out.bias", "--items", items, "--entry", "model"]
    padding = ["--padding-rows", "1", "--output-padding-rows", "0"]
    accept("state_dict_separate", EXPORTER, [file] + options + padding, ids,
           network_scores(array(separate["emb"].weight)[1:], cells_of_gru(separate["gru"]),
                          array(separate["out"].weight), array(separate["out"].bias)))
    refuse("padding not said", EXPORTER, [file] + options,
           ["emb.weight has 71 rows, out.weight 70", "70 items", " ".join(padding),
            "Row 0 of emb.weight is not all zeros"])
    list_only("padding of the embedding", EXPORTER, [file, "--entry", "model"],
              ["One assignment", "emb.weight has 71 rows, out.weight 70", " ".join(padding),
               "to have 70 items", "--entry model"])
    refuse("no entry", EXPORTER, [file] + options[:-2], ["epoch, model", "--entry model"])
    refuse("no such key", EXPORTER, [file] + options[:5] + ["head.weight"] + options[6:],
           ["'head.weight'", "out.weight [70, 12] float32"])
    refuse("no output bias", EXPORTER, [file] + options[:6] + options[8:] + padding,
           ["no use was found for out.bias", "--output-bias out.bias", "--ignore out.bias"])
    refuse("no embedding", EXPORTER, [file] + options[2:],
           ["gru.weight_ih_l0 takes 9 inputs", "--embedding"], 2)
    refuse("no output", EXPORTER, [file] + options[:4] + options[8:], ["--output is needed"], 2)
    refuse("no layers", EXPORTER, [file] + options[:2] + options[4:], ["--gru", "--cell"], 2)
    refuse("without numpy", EXPORTER, [file], ["export_state_dict: error: numpy is missing"],
           without="numpy")
    refuse("without torch", EXPORTER, [file], ["torch is missing"], without="torch")
    refuse("no items file", EXPORTER, [file] + options[:9] + [path("nothing.tsv")] + options[10:],
           ["error: " + path("nothing.tsv") + ": No such file or directory"])
    own = items_file("own_items.items.tsv", ids)
    refuse("own items", EXPORTER, [file] + options[:9] + [own] + options[10:] + padding +
           ["-o", path("own_items")], ["own_items.items.tsv: the input would be overwritten"], 2)


def make_padded(ids, items):
    """Row 0 of embedding and output is padding, as nn.Embedding(padding_idx=0) makes it."""
    both = modules(emb=torch.nn.Embedding(ITEMS + 1, 9), gru=torch.nn.GRU(9, 12),
                   out=torch.nn.Linear(12, ITEMS + 1))
    with torch.no_grad():
        both["emb"].weight[0] = 0
    file = save("padded.pt", both.state_dict())
    words = ["--gru", "gru", "--embedding", "emb.weight", "--output", "out.weight",
             "--output-bias", "out.bias"]
    accept("state_dict_padded", EXPORTER, [file] + words + ["--padding-rows", "1", "--items",
                                                            items], ids,
           network_scores(array(both["emb"].weight)[1:], cells_of_gru(both["gru"]),
                          array(both["out"].weight)[1:], array(both["out"].bias)[1:]))
    line = " ".join(words + ["--padding-rows", "1", "--items"])
    said = ["One assignment", "row 0 of emb.weight is all zeros", line]
    list_only("padding", EXPORTER, [file], said + ["to have 70 items"])
    list_only("padding, with items", EXPORTER, [file, "--items", items], said)
    more = items_file("more.tsv", [1] + ids)
    list_only("no padding", EXPORTER, [file, "--items", more], ["to have 71 items"],
              absent=["--padding-rows"])
    refuse("padding of both", EXPORTER, [file] + words + ["--items", items],
           ["71 rows", "70 items", "--padding-rows 1", "--output-padding-rows",
            "Row 0 of emb.weight is all zeros"])
    one = modules(emb=torch.nn.Embedding(ITEMS, 9), gru=torch.nn.GRU(9, 12),
                  out=torch.nn.Linear(12, ITEMS + 1))
    file = save("padded_output.pt", one.state_dict())
    accept("state_dict_padded_output", EXPORTER,
           [file] + words + ["--output-padding-rows", "1", "--items", items], ids,
           network_scores(array(one["emb"].weight), cells_of_gru(one["gru"]),
                          array(one["out"].weight)[1:], array(one["out"].bias)[1:]))
    list_only("padding of the output", EXPORTER, [file],
              ["One assignment", "emb.weight has 70 rows, out.weight 71",
               " ".join(words) + " --output-padding-rows 1 --items"])
    refuse("padding of the output not said", EXPORTER, [file] + words + ["--items", items],
           ["out.weight 71", "70 items", "--output-padding-rows 1"])


def make_tied(ids, items):
    tied = modules(rows=torch.nn.Embedding(ITEMS + 2, 12),
                   cells=torch.nn.ModuleList([torch.nn.GRUCell(12, 10, bias=False),
                                              torch.nn.GRUCell(10, 12, bias=False)]),
                   extra=torch.nn.Linear(3, 3, bias=False))
    file = save_safetensors("tied.safetensors", tied.state_dict())
    options = ["--embedding", "rows.weight", "--output", "rows.weight", "--cell", "cells.0",
               "--cell", "cells.1", "--padding-rows", "2", "--items", items]
    table = array(tied["rows"].weight)[2:]
    accept("state_dict_tied", EXPORTER, [file, "--ignore", "extra.weight"] + options, ids,
           network_scores(table, list(tied["cells"]), table, 0.0))
    refuse("input itself", EXPORTER,
           [file, "-o", path("tied"), "--ignore", "extra.weight"] + options,
           ["tied.safetensors", "overwritten"], 2)
    list_only("not of use", EXPORTER, [file], ["no use for extra.weight", "--ignore"])
    refuse("not ignored", EXPORTER, [file] + options, ["extra.weight"])
    refuse("nothing to ignore", EXPORTER, [file, "--ignore", "other"] + options, ["--ignore other"])

    # What torch saves of tied weights has both keys.
    tied = modules(emb=torch.nn.Embedding(ITEMS, 12), gru=torch.nn.GRU(12, 12),
                   out=torch.nn.Linear(12, ITEMS))
    tied["out"].weight = tied["emb"].weight
    file = save("tied.pt", tied.state_dict())
    table = array(tied["emb"].weight)
    words = ["--gru", "gru", "--embedding", "emb.weight", "--output", "emb.weight",
             "--output-bias", "out.bias", "--items"]
    accept("state_dict_tied_twice", EXPORTER, [file] + words + [items], ids,
           network_scores(table, cells_of_gru(tied["gru"]), table, array(tied["out"].bias)),
           says=["out.weight holds the same numbers as emb.weight"], config={"embedding": "shared"})
    list_only("tied", EXPORTER, [file], ["One assignment", "hold the same numbers: tied weights",
                                         " ".join(words)])


def make_one_hot(ids, items):
    one_hot = modules(gru=torch.nn.GRU(ITEMS, 12), out=torch.nn.Linear(12, ITEMS))
    file = save("one_hot.pth", one_hot.state_dict())
    suggestion = ["--gru", "gru", "--output", "out.weight", "--output-bias", "out.bias", "--items"]
    accept("state_dict_one_hot", EXPORTER, [file] + suggestion + [items], ids,
           network_scores(np.eye(ITEMS), cells_of_gru(one_hot["gru"]), array(one_hot["out"].weight),
                          array(one_hot["out"].bias)), says=["A column Count", "--items"])
    said = ["gru.weight_ih_l0 [36, 70] float32", "One assignment", " ".join(suggestion)]
    list_only("a list", EXPORTER, [file], said)
    refuse("a list, with -o", EXPORTER, [file], said + ["Nothing was written", "-o "], 2)
    refuse("no items", EXPORTER, [file] + suggestion[:-1], ["--items"], 2)
    refuse("no network", EXPORTER, [file, "--gru", "gru", "--items", items], ["--output"], 2)
    refuse("fewer items", EXPORTER, [file] + suggestion + [items_file("few.tsv", ids[1:])],
           ["gru.weight_ih_l0 has 70 inputs, out.weight 70 rows", "69 items", "--padding-rows 1",
            "Input 0 of gru.weight_ih_l0 is not"])
    refuse("more items", EXPORTER, [file] + suggestion + [items_file("many.tsv", [1] + ids)],
           ["gru.weight_ih_l0 has 70 inputs", "71 items", "Each item needs a row"])


def make_other_networks(items):
    """What is no GRU4Rec network, or no state_dict."""
    both = torch.nn.ModuleDict({"gru": torch.nn.GRU(ITEMS, 6, bidirectional=True)})
    refuse("two directions", EXPORTER, [save("both.pt", both.state_dict()), "--gru", "gru",
                                        "--output", "x", "--items", items], ["two directions"])
    for kind, said in ((torch.nn.LSTM, "this is an LSTM"), (torch.nn.RNN, "nn.RNN")):
        other = modules(emb=torch.nn.Embedding(ITEMS, 9), rnn=kind(9, 12),
                        out=torch.nn.Linear(12, ITEMS))
        file = save("other_%s.pt" % kind.__name__, other.state_dict())
        refuse(said, EXPORTER, [file, "--embedding", "emb.weight", "--gru", "rnn", "--output",
                                "out.weight", "--output-bias", "out.bias", "--items", items],
               ["rnn.weight_hh_l0", said])
        refuse(said + " in a list", EXPORTER, [file], ["rnn.weight_hh_l0 [", said], bare=True,
               absent=["assignment"])
    cell = modules(emb=torch.nn.Embedding(ITEMS, 12), cell=torch.nn.LSTMCell(12, 12))
    refuse("an LSTM cell", EXPORTER, [save("cell.pt", cell.state_dict())],
           ["cell.weight_hh", "this is an LSTM"], bare=True, absent=["assignment"])
    refuse("a module", EXPORTER, [save("module.pt", torch.nn.GRU(3, 4))],
           ["module.pt", "save model.state_dict()"])
    refuse("no dict", EXPORTER, [save("list.pt", [1, 2])], ["no dict of tensors"])
    write("short.safetensors", "abc")
    refuse("no safetensors", EXPORTER, [path("short.safetensors")], ["too short"])
    write("text.pt", "this is no archive")
    refuse("no archive", EXPORTER, [path("text.pt")], ["text.pt: torch cannot load"])


def make_state_dict():
    ids = integer_ids()
    items = items_file("ids.tsv", ids)
    make_separate(ids, items)
    make_padded(ids, items)
    make_tied(ids, items)
    make_one_hot(ids, items)
    make_other_networks(items)
