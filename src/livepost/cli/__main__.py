"""`python -m livepost.cli`."""

from livepost.cli.app import main

if __name__ == "__main__":
    main()
