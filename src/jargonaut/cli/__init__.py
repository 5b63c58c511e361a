"""The command line: one module a command."""

from __future__ import annotations

import sys

from jargonaut.core.errors import JargonautError

_INTERRUPTED = 130


def main() -> None:
    """Run a command; errors of ours become a message, a hint and an exit code, and with `--json` an object too."""
    from jargonaut.cli.app import app

    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    as_json = "--json" in arguments
    try:
        app(args=arguments, prog_name="jargonaut")
    except JargonautError as error:
        if as_json:
            _print_error(error.message, error.hint, error.exit_code)
        if debug:
            raise
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _say_stopped()
        sys.exit(_INTERRUPTED)
    except SystemExit as end:
        # The library that reads the command line leaves by itself: for Ctrl-C without a word, for a wrong option with
        # a text only.
        explain = getattr(end.__context__, "format_message", None)
        if end.code == _INTERRUPTED:
            _say_stopped()
        elif as_json and explain is not None:
            _print_error(explain(), "`--help` shows what can be given.", int(end.code or 0))
        raise
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


def _say_stopped() -> None:
    print(
        "\nStopped. What was live stays live; a build or proof goes on next time where this one was.", file=sys.stderr
    )


def _print_error(message: str, hint: str, exit_code: int) -> None:
    from jargonaut.cli.output import print_json

    print_json({"error": {"message": message, "hint": hint, "exit_code": exit_code}})
