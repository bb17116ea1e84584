"""A signal stops a command wherever it finds it, and as often as it comes."""

import subprocess
import sys

import pytest

BY_A_THREAD = "from livepost.cli.signals import stop_on_signals\nstop = stop_on_signals()"
BY_THE_HANDLER = """
import signal
from threading import Event
stop = Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
"""
WHILE_IT_WAITS = """
import os, signal, time
with stop._cond:  # as the main thread has it at the beginning and at the end of each wait
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.05)
print("stopped", stop.wait(10))
"""


def stopped(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=5, check=True)
    return done.stdout.strip()


def test_a_signal_that_comes_while_the_event_is_waited_for_stops() -> None:
    assert stopped(BY_A_THREAD + WHILE_IT_WAITS) == "stopped True"


def test_a_handler_that_sets_the_event_itself_would_be_found() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        stopped(BY_THE_HANDLER + WHILE_IT_WAITS)


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_each_signal_stops_and_others_after_it_do_no_harm(number: str) -> None:
    program = f"""
import os, signal
for _ in range(3):
    os.kill(os.getpid(), signal.{number})
print("stopped", stop.wait(10))
"""
    assert stopped(BY_A_THREAD + program) == "stopped True"
