"""A front with the fault put in: whoever fetches the page that asks has unsubscribed.

The negative control of test_scanners.py runs this module in place of `livepost run front`.
"""

from __future__ import annotations

from starlette.routing import Route

from livepost.api import mail
from livepost.cli import front as command
from livepost.cli.workspace import folder_here
from livepost.runtime.front import pages

if __name__ == "__main__":
    routes = mail.mail_routes

    def obeying(desk: mail.MailDesk) -> list[Route]:
        """Answer each GET as the POST."""
        asks, posts, *rest = routes(desk)
        return [Route(asks.path, posts.endpoint, methods=["GET", "POST"]), *rest]

    vars(pages)["mail_routes"] = obeying
    command.main(folder_here())
