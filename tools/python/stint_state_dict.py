# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""A file of torch.save() or safetensors -> its tensors as numpy arrays by key, and what their names
and shapes say of recurrent layers. Needs numpy, and torch unless the file is safetensors."""

import re

import numpy as np

import stint_tensors
from stint_network import DataError, reason, shape_text

PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
OTHER_CLASS = re.compile(r"Unsupported (?:class|global:? GLOBAL|global:) ([\w.]+)|GLOBAL ([\w.]+)")


def load(path, entry):
    """{key: array} of the file, or of the entry of a checkpoint."""
    if path.endswith(".safetensors"):
        return stint_tensors.read_safetensors(path)
    with open(path, "rb"):
        pass  # an error of the system rather than one of torch
    try:
        import torch
    except ImportError:
        raise DataError("%s: torch is missing in this Python, and such a file needs it: "
                        "pip install torch" % path)
    value = _torch_load(torch, path)
    for name in entry.split(".") if entry else []:
        if not isinstance(value, dict) or name not in value:
            raise DataError("%s has no entry %r; there are: %s" % (path, name, _keys(value)))
        value = value[name]
    if hasattr(value, "state_dict"):  # torch before 1.13 loads it
        raise DataError(_not_a_state_dict(path, type(value).__name__))
    if not _is_state_dict(value):
        raise DataError("%s is no dict of tensors%s. There are: %s" %
                        (path, _entries(value), _keys(value)))
    return {str(key): _array(tensor) for key, tensor in value.items()}


def _torch_load(torch, path):
    try:
        try:
            return torch.load(path, map_location="cpu", weights_only=True)
        except TypeError:  # torch before 1.13
            return torch.load(path, map_location="cpu")
    except AttributeError as error:  # of a class that is not here
        raise DataError(_not_a_state_dict(path, str(error)))
    except Exception as error:  # the many ways of a pickle or an archive to be broken
        text = str(error)
        other = OTHER_CLASS.search(text)
        if other:
            raise DataError(_not_a_state_dict(path, other.group(1) or other.group(2)))
        # Of weights_only=False nothing is said: it would run code of the file.
        why = type(error).__name__ if "weights_only" in text else reason(error)
        raise DataError("%s: torch cannot load a state_dict from it: %s" % (path, why))


def _not_a_state_dict(path, what):
    return ("%s has more than tensors in it (%s), as torch.save(model) writes; save "
            "model.state_dict(): torch.save(model.state_dict(), FILE)" % (path, what))


def _is_state_dict(value):
    return isinstance(value, dict) and bool(value) and \
        all(hasattr(tensor, "detach") for tensor in value.values())


def _entries(value):
    """Which --entry would do."""
    names = sorted(str(name) for name in value if _is_state_dict(value[name])) if \
        isinstance(value, dict) else []
    if names:
        return "; its entry %s is one: --entry %s" % (names[0], names[0])
    return "; if it is a checkpoint, name the entry that is one with --entry"


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
    _check_gates(tensors, layers)
    return layers


def cell_layers(tensors, prefixes):
    """[{part: key}] of layers that are nn.GRUCell."""
    layers = [{part: dotted(prefix) + part for part in PARTS} for prefix in prefixes]
    _check_gates(tensors, layers)
    return layers


def _check_gates(tensors, layers):
    """Raises DataError where a layer has the gates of another kind of recurrent network."""
    for layer in layers:
        weight = tensors.get(layer["weight_hh"])
        if weight is None or weight.ndim != 2 or not weight.shape[1]:
            continue
        rows, units = weight.shape
        kinds = {4 * units: "an LSTM", units: "a plain recurrent network (nn.RNN)"}
        if layer["weight_hh"].replace("weight_hh", "weight_hr") in tensors:
            kinds[rows] = "an LSTM with projections"
        if rows in kinds:
            raise DataError("%s %s has %d rows for %d units, a GRU has %d: this is %s, which is no "
                            "GRU4Rec network" % (layer["weight_hh"], shape_text(weight.shape), rows,
                                                 units, 3 * units, kinds[rows]))


def twins(tensors):
    """{key: the first key, in order of names, of a matrix with the same numbers}."""
    first = {}
    firsts = []
    for key in sorted(tensors):
        if tensors[key].ndim == 2:
            same = [other for other in firsts if np.array_equal(tensors[other], tensors[key])]
            first[key] = same[0] if same else key
            if not same:
                firsts.append(key)
    return first


def listing(tensors):
    return "\n".join("  %s %s %s" % (key, shape_text(tensors[key].shape), tensors[key].dtype)
                     for key in sorted(tensors))
