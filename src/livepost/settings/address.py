"""Addresses of servers, as settings hold them: what any of them has to be, whichever server it is of.

In: a setting's text, and where it stands. Out: its parts and options, or one sentence saying what is wrong. Promised: a
password within is refused, and not repeated.
"""

from __future__ import annotations

import difflib
from typing import NoReturn
from urllib.parse import SplitResult, parse_qsl, urlsplit

import msgspec

from livepost.errors import SettingsError


class AddressForm(msgspec.Struct, frozen=True, kw_only=True):
    """How one setting's addresses are written.

    setting   its key; `of` what the address is of, with its article
    form      the address as it is shown to whoever wrote another; `plain` its shortest form
    options   names that may stand behind `?`
    """

    setting: str
    of: str
    form: str
    plain: str
    options: tuple[str, ...]

    def split(self, value: str, where: str) -> SplitResult:
        """Return the parts of an address; raise SettingsError for one that holds a password, or is none."""
        wrong = f"is no address of {self.of}: expected"
        if not (value.isascii() and value.isprintable()) or " " in value:
            self.refuse(where, f"{wrong} ASCII without spaces, as in {self.form}")
        try:
            parts = urlsplit(value)
            number = parts.port
        except ValueError:
            self.refuse(where, f"{wrong} a host and a port of 1 to 65535, as in {self.form}")
        if parts.password is not None:
            self.refuse(
                where,
                f'must not hold the password; write {self.plain} and {self.setting}_password = "env:NAME" or '
                '"file:PATH", and change the password if it was ever saved in clear',
            )
        if number == 0 or parts.fragment:
            self.refuse(where, f"{wrong} {self.form}")
        return parts

    def options_of(self, parts: SplitResult, where: str) -> dict[str, str]:
        """Return the options of an address; raise SettingsError for one that there is not, or that is named twice."""
        try:
            pairs = parse_qsl(parts.query, strict_parsing=True) if parts.query else []
        except ValueError:
            self.refuse(where, "has an option without a value; options are written ?name=value&name=value")
        for name, _ in pairs:
            if name not in self.options:
                near = difflib.get_close_matches(name, self.options, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]}?" if near else f"the options are {', '.join(self.options)}"
                self.refuse(where, f"has an option {name[:40]} that there is not; {hint}")
        if len(dict(pairs)) < len(pairs):
            self.refuse(where, "names an option twice; say each once")
        return dict(pairs)

    def refuse(self, where: str, why: str) -> NoReturn:
        """Raise SettingsError: the setting, where it stands, why."""
        raise SettingsError(f"{self.setting} ({where}) {why}")
