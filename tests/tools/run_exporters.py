#!/usr/bin/env python3
# Copyright 2026 The stint authors.
# SPDX-License-Identifier: Apache-2.0
"""RUNS.json, a list of {"words": command line of an exporter, "without": a module that is to be
missing} -> RESULTS.json, the status and the outputs of each. A fork runs each one, so that torch is
loaded once."""

import json
import os
import runpy
import sys
import tempfile

import numpy  # noqa: F401
import torch  # noqa: F401


def run(words, without=None):
    """Status, output and errors of a script, as a process of its own has them."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(error.fileno(), 2)
            sys.argv = words
            if without:
                sys.modules[without] = None  # an import of it fails
            sys.path[0] = os.path.dirname(words[0])
            status = 1
            try:
                runpy.run_path(words[0], run_name="__main__")
                status = 0
            except SystemExit as end:
                status = end.code if isinstance(end.code, int) else int(end.code is not None)
            except BaseException:
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        status = os.waitpid(child, 0)[1]
        texts = []
        for stream in (out, error):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8"))
    return {"status": os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1, "out": texts[0],
            "error": texts[1]}


with open(sys.argv[1], encoding="utf-8") as source:
    results = [run(**entry) for entry in json.load(source)]
with open(sys.argv[2], "w", encoding="utf-8") as target:
    json.dump(results, target)
