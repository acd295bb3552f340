# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""Objects of the official GRU4Rec code, without that code: unpickling that runs none of it, paths
of attributes, and the hyper-parameters of a trained object. Needs numpy; pandas and joblib only
where the file was written with them."""

import copyreg
import importlib
import io
import pickle
import re

import numpy as np

from stint_network import DataError, reason

# What pickles of numpy and pandas data are made of. All else becomes a Holder, so that loading a
# file calls nothing but these.
REAL_MODULES = re.compile(
    r"^pandas\.(core\.(indexes?|internals|series|arrays)|_libs|indexes)(\.|$)")
REAL_NAMES = {
    "builtins": {"dict", "list", "set", "frozenset", "tuple", "object", "slice", "bytearray",
                 "complex", "int", "float", "bool", "str", "bytes", "range"},
    "collections": {"OrderedDict", "defaultdict", "deque"},
    "_codecs": {"encode"},
    "numpy": {"ndarray", "dtype"},
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy.core.numeric": {"_frombuffer"},
    "joblib.numpy_pickle": {"NumpyArrayWrapper", "NDArrayWrapper", "ZNDArrayWrapper"},
}
COMPRESSED = (b"\x78", b"\x1f\x8b", b"BZ", b"\xfd7zXZ", b"\x5d\x00", b"\x04\x22\x4d\x18")
RENAMED = {"__builtin__": "builtins", "copy_reg": "copyreg"}  # by Python 3
HYPERPARAMETERS = (
    "loss", "final_act", "hidden_act", "elu_param", "layers", "n_epochs", "batch_size",
    "dropout_p_embed", "dropout_p_hidden", "learning_rate", "momentum", "n_sample", "sample_alpha",
    "embedding", "constrained_embedding", "bpreg", "logq", "adapt", "adapt_params", "grad_cap",
    "lmbd", "smoothing", "sigma", "init_as_normal", "train_random_order", "time_sort")


class Holder(object):
    """In place of an object of any class that is not needed: its attributes, no methods."""

    stands_for = "object"

    def __new__(cls, *arguments, **names):
        return object.__new__(cls)

    def __init__(self, *arguments, **names):
        pass

    def __setstate__(self, state):
        parts = state if isinstance(state, tuple) else (state,)
        for part in parts:  # of classes with slots there are two
            if isinstance(part, dict):
                self.__dict__.update((str(name), value) for name, value in part.items())

    def __call__(self, *arguments, **names):
        return Holder()

    # Pickles of subclasses of list and dict.
    def append(self, value):
        pass

    def extend(self, values):
        pass

    def __setitem__(self, key, value):
        pass


def _reconstructor(cls, base, state):
    """What old pickles make objects with."""
    return cls() if issubclass(cls, Holder) else copyreg._reconstructor(cls, base, state)


def find_class(module, name):
    """The class or function of a pickle: a real one of numpy or pandas, else a Holder."""
    module = RENAMED.get(module, module).replace("numpy._core", "numpy.core")
    if (module, name) == ("copyreg", "_reconstructor"):
        return _reconstructor
    if name in REAL_NAMES.get(module, ()) or REAL_MODULES.match(module):
        for known in (module, module.replace("numpy.core", "numpy._core")):
            try:
                return getattr(importlib.import_module(known), name)
            except (ImportError, AttributeError):
                pass
    return type(str(name), (Holder,), {"stands_for": "%s.%s" % (module, name)})


class Unpickler(pickle._Unpickler):  # the one in Python is more forgiving to odd classes
    def find_class(self, module, name):
        return find_class(module, name)


def load(path):
    """The object in a pickle or a joblib dump. Raises DataError."""
    with open(path, "rb") as stream:
        data = stream.read()
    if data.startswith(COMPRESSED) or b"joblib.numpy_pickle" in data:
        return _load_joblib(path)
    try:
        return Unpickler(io.BytesIO(data), encoding="latin1").load()  # Python 2 wrote bytes
    except Exception as error:  # the many ways of a pickle to be broken
        raise DataError("%s is no pickle: %s" % (path, reason(error)))


def _load_joblib(path):
    """joblib's own reader, with our find_class."""
    try:
        from joblib import numpy_pickle
    except ImportError:
        raise DataError("%s was written by joblib, which this Python does not have: "
                        "pip install joblib" % path)
    reader = numpy_pickle.NumpyUnpickler
    own = reader.__dict__.get("find_class")
    reader.find_class = lambda self, module, name: find_class(module, name)
    try:
        return numpy_pickle.load(path)
    except OSError:
        raise
    except Exception as error:
        raise DataError("%s is no joblib dump: %s" % (path, reason(error)))
    finally:
        if own is None:
            del reader.find_class
        else:
            reader.find_class = own


class Missing(Exception):
    pass


def follow(value, path):
    """The value at an attribute path as "model.Wx[0]" or "weights.Wx.0". Raises Missing."""
    for step in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, dict):
            if step not in value:
                raise Missing(path)
            value = value[step]
        elif isinstance(value, (list, tuple)):
            if not step.isdigit() or int(step) >= len(value):
                raise Missing(path)
            value = value[int(step)]
        elif hasattr(value, step):
            value = getattr(value, step)
        else:
            raise Missing(path)
    return value


def walk(value, wanted, path="", depth=0, seen=None):
    """(path, part) of all parts that are wanted, down to 6 levels, each object once."""
    seen = set() if seen is None else seen
    if id(value) in seen or depth > 6:
        return
    if wanted(value):
        yield path, value
    if isinstance(value, dict):
        seen.add(id(value))
        children = [(str(name), part) for name, part in value.items()]
    elif isinstance(value, (list, tuple)) and len(value) <= 64:
        seen.add(id(value))
        children = [(str(i), part) for i, part in enumerate(value)]
    elif hasattr(value, "__dict__") and not isinstance(value, type):
        seen.add(id(value))
        children = sorted(vars(value).items())
    else:
        return
    for name, part in children:
        for found in walk(part, wanted, (path + "." if path else "") + name, depth + 1, seen):
            yield found


def contents(value):
    """What there is in an object, as lines of path, type and shape: the help of an error."""
    lines = []
    for path, part in walk(value, lambda part: True):
        if not path:
            continue
        if isinstance(part, np.ndarray):
            lines.append("  %s: %s %s" % (path, part.dtype, list(part.shape)))
        elif isinstance(part, (int, float, str, bool)) or part is None:
            lines.append("  %s = %.60r" % (path, part))
        elif not isinstance(part, (list, tuple, dict)):
            lines.append("  %s: %s" % (path, getattr(part, "stands_for", type(part).__name__)))
    return "\n".join(lines[:200]) or "  nothing"


def plain(value):
    """A value as JSON can say it, else None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    if isinstance(value, (list, tuple)):
        parts = [plain(part) for part in value]
        return parts if None not in parts else None
    return value if isinstance(value, (bool, int, float, str)) else None


def hyperparameters(value):
    """The official parameters that stand in an object as attributes."""
    found = {name: plain(getattr(value, name)) for name in HYPERPARAMETERS if hasattr(value, name)}
    return {name: setting for name, setting in found.items() if setting is not None}


def final_activation(parameters):
    """Of the PyTorch and TensorFlow code, which name a loss and elu_param."""
    loss = parameters.get("loss")
    if loss == "cross-entropy":
        return "softmax"
    if loss == "bpr-max":
        elu = parameters.get("elu_param")
        if elu is None:
            raise DataError("elu_param is missing: the loss bpr-max goes with it")
        return "elu-%r" % elu if elu > 0 else "linear"
    raise DataError("the loss is %r, expected cross-entropy or bpr-max" % (loss,))


def layer_units(layers):
    try:
        units = [int(width) for width in layers]
    except (TypeError, ValueError):
        units = []
    if not units or min(units) < 1:
        raise DataError("layers is %r, expected a list of positive integers" % (layers,))
    return units


def embedding_mode(parameters):
    """"shared", "separate" or "none", by the two official parameters."""
    if "constrained_embedding" not in parameters or "embedding" not in parameters:
        raise DataError("embedding and constrained_embedding are not both there")
    if parameters["constrained_embedding"]:
        return "shared"
    return "separate" if parameters["embedding"] else "none"
