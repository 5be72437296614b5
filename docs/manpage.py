"""Write ``man/mgtag.1`` from the commands themselves; a test compares them.

``python docs/manpage.py`` (troff with the man macros; see man(7)).
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import typer

import mgtag
from mgtag.cli.app import app

PAGE = Path(__file__).parents[1] / "man" / "mgtag.1"


def page() -> str:
    """Return the manual page of all commands."""
    group: Any = typer.main.get_command(app)
    lines = [
        f'.TH MGTAG 1 "" "mgtag {mgtag.__version__}" "User commands"',
        ".SH NAME",
        r"mgtag \- listen to a music folder and write the genre into every file that has none, undoably",
        ".SH SYNOPSIS",
        r".B mgtag",
        r".I COMMAND",
        r"[\fIOPTION\fR]... [\fIARGUMENT\fR]...",
        ".SH DESCRIPTION",
        *_paragraphs(group.help),
        ".SH COMMANDS",
    ]
    for command in _commands(group, typer.Context(group, info_name="mgtag")):
        lines += command
    lines += [".SH EXIT STATUS", *_paragraphs(group.epilog)]
    return "\n".join(lines) + "\n"


def _commands(group: Any, context: typer.Context) -> list[list[str]]:
    pages = []
    for name in group.list_commands(context):
        command, inner = group.commands[name], typer.Context(group.commands[name], context, name)
        if command.hidden:
            continue
        if not hasattr(command, "commands") or command.invoke_without_command:
            pages.append(_command(inner.command_path, command))
        if hasattr(command, "commands"):
            pages += _commands(command, inner)
    return pages


def _command(name: str, command: Any) -> list[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = " ".join(
        [rf"\fB{_text(name)}\fR", *(rf"\fI{_text(a.metavar or a.name.upper())}\fR" for a in arguments)]
    )
    lines = [f".SS {_text(name)}", usage + r" [\fIOPTION\fR]...", *_paragraphs(command.help)]
    for option in command.params:
        if option.param_type_name == "option" and not option.hidden:
            value = "" if option.is_flag else rf" \fI{_text(option.metavar or option.name.upper())}\fR"
            names = ", ".join(
                rf"\fB{_text(o)}\fR" for o in sorted(option.opts + option.secondary_opts, key=len)
            )
            lines += [".TP", names + value, _text(option.help or "")]
    return lines + _paragraphs((command.epilog or "").replace("**", ""))


def _paragraphs(text: str | None) -> list[str]:
    blocks = [block for block in inspect.cleandoc(text or "").split("\n\n") if block]
    return [line for block in blocks for line in (".PP", _text(" ".join(block.split())))]


def _text(text: str) -> str:
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("`", "")
    return r"\&" + text if text.startswith((".", "'")) else text


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
