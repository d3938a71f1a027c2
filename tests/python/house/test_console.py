"""What a command prints: a table where somebody looks, lines where a program reads."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

SCRIPT = """
import sys
from pipelines.console import Console

console = Console(as_json=sys.argv[1:] == ["json"])
rows = [["cart_v1", "1,204", "Left a [bold]cart[/bold]\\x1b[31m."], ["vip_v1", "7", "Dear."]]
console.table(("segment", "members", "who"), rows, lines=["cart_v1: 1,204", "vip_v1: 7"])
console.record(told=2)
console.finish()
"""


def on_a_terminal(*arguments: str) -> str:
    """What the script prints where its standard output is a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", SCRIPT, *arguments]
    environment = os.environ | {"COLUMNS": "60", "TERM": "dumb"}
    with subprocess.Popen(command, stdout=theirs, env=environment) as started:
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            said += part
    os.close(ours)
    assert started.returncode == 0
    return said.decode()


def test_a_table_on_a_terminal_and_lines_elsewhere() -> None:
    drawn = on_a_terminal()
    head, _, cart, vip = [line.split() for line in drawn.strip().splitlines()]
    assert head == ["segment", "members", "who"]
    assert cart[:2] == ["cart_v1", "1,204"]
    assert vip == ["vip_v1", "7", "Dear."]
    assert "[bold]cart[/bold]" in drawn  # what others wrote is text, neither markup nor control
    assert "\x1b[31m" not in drawn
    piped = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    ).stdout
    assert piped == "cart_v1: 1,204\nvip_v1: 7\n"
    assert on_a_terminal("json").split() == ["{", '"told":', "2", "}"]
