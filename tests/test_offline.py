"""fercli sends nothing to anybody: no command opens a network socket.

The calls are counted by a small library that stands before the C library's `socket`, so whatever opens one, Python or
a compiled package, is seen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from examples.make_sample import make_sample
from tests.learn.datasets.faces import npz_arrays, write_npz

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
int socket(int domain, int type, int protocol) {
    int (*real)(int, int, int) = (int (*)(int, int, int))dlsym(RTLD_NEXT, "socket");
    if (domain != AF_UNIX && domain != AF_NETLINK) {
        FILE *log = fopen(getenv("SOCKET_LOG"), "a");
        if (log) { fprintf(log, "domain %d\n", domain); fclose(log); }
    }
    return real(domain, type, protocol);
}
"""
COMPILER = shutil.which("cc") or shutil.which("gcc")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        COMPILER is None or not sys.platform.startswith("linux"),
        reason="sockets are counted on Linux, with a C compiler",
    ),
]


class Tracer:
    """Runs commands and counts the network sockets they open."""

    def __init__(self, folder: Path) -> None:
        self._library, self._log = folder / "count.so", folder / "sockets.txt"
        (folder / "count.c").write_text(SOURCE)
        compiling = [str(COMPILER), "-shared", "-fPIC", "-o", str(self._library), str(folder / "count.c"), "-ldl"]
        subprocess.run(compiling, check=True)

    def sockets(self, *command: str) -> int:
        self._log.write_text("")
        # A name server is asked through a socket too; nothing may be in the way of the vendor's client.
        environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
        environment |= {"LD_PRELOAD": str(self._library), "SOCKET_LOG": str(self._log)}
        subprocess.run([sys.executable, *command], env=environment, check=True, timeout=600)
        return len(self._log.read_text().splitlines())


@pytest.fixture(scope="module")
def tracer(tmp_path_factory: pytest.TempPathFactory) -> Tracer:
    return Tracer(tmp_path_factory.mktemp("tracer"))


def test_a_socket_is_counted(tracer: Tracer) -> None:
    assert tracer.sockets("-c", "import socket; socket.socket().close(); socket.socket(socket.AF_INET6).close()") == 2


def test_annotate_opens_no_network_socket(tracer: Tracer, tmp_path: Path) -> None:
    make_sample(tmp_path / "sample.mp4")
    command = ["annotate", str(tmp_path / "sample.mp4"), "-o", str(tmp_path / "out.json"), "-q"]
    assert tracer.sockets("-m", "fercli.cli.entry", *command) == 0


def test_train_and_evaluate_open_no_network_socket(tracer: Tracer, tmp_path: Path) -> None:
    data = ["--dataset", "fer2013", "--root", str(write_npz(tmp_path / "fer2013.npz", npz_arrays((28, 14, 14))))]
    small = ["--epochs", "1", "--sizes", "16", "--batch", "14", "--device", "cpu"]
    run = tmp_path / "run"
    assert tracer.sockets("-m", "fercli.cli.entry", "train", *data, "--out", str(run), *small) == 0
    assert tracer.sockets("-m", "fercli.cli.entry", "evaluate", str(run / "best.safetensors"), *data) == 0


def test_a_program_that_imports_onnxruntime_first_sends_nothing_either(tracer: Tracer, tmp_path: Path) -> None:
    code = (
        "import onnxruntime, time; from fercli.models.registry import find_model, load_model;"
        "load_model(find_model('centerface', 'detector'), '', 'cpu'); time.sleep(3)"
    )
    assert tracer.sockets("-c", code) == 0
