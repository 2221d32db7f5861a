"""Ctrl-C and SIGTERM with real signals, in processes of their own."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from geoembed.train import StopRequest

ROOT = Path(__file__).resolve().parents[2]
# The module alone: importing the package would load scipy for nothing.
PROGRAM = """
import importlib.util, sys, time
spec = importlib.util.spec_from_file_location("interrupt", "geoembed/train/_interrupt.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
with module.StopRequest() as stop:
    print("ready", flush=True)
    for _ in range(600):
        time.sleep(0.05)
        if stop and {polite}:
            break
        if stop:
            print("asked", flush=True)
print("saved", bool(stop), flush=True)
"""


def start(*, polite):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(polite=polite)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_politely(number):
    process = start(polite=True)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "saved True\n", "")


def test_a_second_ctrl_c_interrupts_at_once():
    process = start(polite=False)
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "asked\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in err
    assert "saved" not in out


def test_a_second_sigterm_stays_polite():
    process = start(polite=False)
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "asked\n"
    process.send_signal(signal.SIGTERM)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode != 0


def test_handlers_are_restored():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with StopRequest():
        assert signal.getsignal(signal.SIGINT) is not before[0]
    with pytest.raises(RuntimeError, match="inside"), StopRequest():
        raise RuntimeError("inside")
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_the_flag_of_the_main_thread_and_of_others():
    with StopRequest() as stop:
        assert not stop
        stop.request()
        assert stop
    seen = []

    def work():
        with StopRequest() as other:
            seen.append(bool(other))
            other.request()
            seen.append(bool(other))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False, True]
