"""``python -m jetbench``: the same as the ``jetbench`` command."""

from jetbench.cli.main import main

if __name__ == "__main__":
    main()
