"""`python -m evenkeel` is the command line."""

from evenkeel.cli.app import main

main()
