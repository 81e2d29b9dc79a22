"""What leaves the command: redacted in every form, in order, and in silence after a closed pipe."""

import base64
import io
import urllib.parse

import pytest

from atlas_access.cli.output import RedactingStream, console

CANARY = 'p@ss:w%2F"canary'


def passed(text: str, secrets: tuple[str, ...] = ()) -> str:
    target = io.StringIO()
    stream = RedactingStream(target, secrets)
    stream.write(text)
    stream.flush()
    return target.getvalue()


@pytest.mark.parametrize(
    "form", [CANARY, urllib.parse.quote(CANARY, safe=""), base64.b64encode(CANARY.encode()).decode()]
)
def test_a_known_secret_leaves_in_no_form(form: str) -> None:
    assert form not in passed(f"before {form} after\n", (CANARY,))


def test_a_password_in_a_connection_string_is_masked_without_being_known() -> None:
    assert "hunter22" not in passed("mongodb://app_read:hunter22@127.0.0.1:1/askflorence\n")


def test_a_secret_written_in_two_halves_of_a_line_is_masked() -> None:
    target = io.StringIO()
    stream = RedactingStream(target)
    stream.write("mongodb://app_read:hun")
    stream.write("ter22@127.0.0.1:1/x\n")
    assert "hunter22" not in target.getvalue()


def test_plain_text_passes_unchanged() -> None:
    text = "app_write ⚠W2  FIURxd ⚠W1  ● → ·\n"
    assert text == passed(text)


def test_a_terminal_without_unicode_gets_plain_signs() -> None:
    raw = io.BytesIO()
    target = io.TextIOWrapper(raw, encoding="latin-1")
    stream = RedactingStream(target)
    stream.write("● app_write ⚠W1 → :8\n")
    stream.flush()
    assert b"* app_write !W1 > :8\n" == raw.getvalue()


class _Gone(io.StringIO):
    """A pipe whose reader has left."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_closed_pipe_is_no_error() -> None:
    stream = RedactingStream(_Gone())
    stream.write("one\n")
    stream.write("two\n")
    stream.flush()


def test_square_brackets_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    console().print("password: [secret] [bold]x[/bold]", soft_wrap=True)
    assert "[bold]x[/bold]" in capsys.readouterr().out


def test_output_that_is_no_terminal_has_no_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    console().print("done", style="bold green")
    assert "done\n" == capsys.readouterr().out
