"""Livepost's own courier with leases of a second and a half in place of thirty, so that a test sees one end."""

from __future__ import annotations

from livepost.cli.courier import main
from livepost.cli.workspace import folder_here
from livepost.ledger import leases
from livepost.runtime.courier import beating, process

if __name__ == "__main__":
    leases.WORKER_LEASE_MS, beating.BEAT_MS, process.CARE_S = 1_500, 300, 0.3
    main(folder_here())
