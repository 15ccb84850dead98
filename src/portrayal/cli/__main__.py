"""`python -m portrayal.cli`."""

from portrayal.cli import main

main()
