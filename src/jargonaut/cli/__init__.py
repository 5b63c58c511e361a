"""The command line: one module a command."""

from __future__ import annotations

import sys

from jargonaut.core.errors import JargonautError


def main() -> None:
    """Run a command; errors of ours become a message, a hint and an exit code."""
    from jargonaut.cli.app import app

    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        app(args=arguments, prog_name="jargonaut")
    except JargonautError as error:
        if debug:
            raise
        print(f"error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("\nStopped. What was live stays live; the next build goes on where this one was.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)
