"""`python -m tuneshift`: the command line."""

from tuneshift.cli import main

main()
