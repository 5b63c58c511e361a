"""`python -m jargonaut`."""

from jargonaut.cli import main

if __name__ == "__main__":
    main()
