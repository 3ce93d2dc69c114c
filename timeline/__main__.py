"""Run the command `timeline` as `python -m timeline`."""

from timeline.cli import main

main()
