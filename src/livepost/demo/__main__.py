"""The feed's process: `python -m livepost.demo URL DATA ACCOUNT`, the secret key in LIVEPOST_DEMO_KEY."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from livepost.demo.feed import run_feed

if __name__ == "__main__":
    _, url, data, account = sys.argv
    run_feed(url=url, secret_key=os.environ["LIVEPOST_DEMO_KEY"], data=Path(data), account=Path(account))
