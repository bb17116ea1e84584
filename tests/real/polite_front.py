"""A front with the fault put in: whoever posts to unsubscribe is led to a page of thanks, with a cookie.

A negative control of test_wire.py runs this module in place of `livepost run front`.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from livepost.api import mail
from livepost.cli import front as command
from livepost.cli.workspace import folder_here
from livepost.runtime.front import pages

if __name__ == "__main__":
    routes = mail.mail_routes

    async def thanks(request: Request) -> RedirectResponse:
        """Lead on."""
        reply = RedirectResponse("/thanks", 303)
        reply.set_cookie("seen", "1")
        return reply

    def polite(desk: mail.MailDesk) -> list[Route]:
        """Answer each POST with a way on."""
        asks, posts, *rest = routes(desk)
        return [asks, Route(posts.path, thanks, methods=["POST"]), *rest]

    vars(pages)["mail_routes"] = polite
    command.main(folder_here())
