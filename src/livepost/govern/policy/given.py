"""What the rules look at: a project as it is written, with its settings, its keys and its policy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

from livepost.govern.policy.liquid import names_in, rendered_in
from livepost.govern.policy.outgoing import LISTENS, Outgoing, outgoing
from livepost.model.compiled import Compiled
from livepost.project.declarations import Declarations
from livepost.project.profile import features_of, segments_of
from livepost.project.purposes import Purposes
from livepost.project.reads import MailReads, mails_of
from livepost.settings.load import FILE_NAME as SETTINGS
from livepost.settings.policy import FILE_NAME as POLICY
from livepost.settings.policy import STREAM, Policy
from livepost.settings.settings import Settings

TEMPLATES = "templates/"


class KeyGiven(msgspec.Struct, frozen=True, kw_only=True):
    """A valid key: what it is for; `scopes` is None where keys have none."""

    id: str
    kind: str
    source: str
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Given:
    """One project; `files` are its texts by their path in the folder, `keys_file` the keys, if others may read them."""

    policy: Policy
    declarations: Declarations
    compiled: Compiled
    settings: Settings
    files: Mapping[str, str]
    keys: Sequence[KeyGiven] = ()
    keys_file: str = ""

    @cached_property
    def purposes(self) -> Purposes:
        """For what everything may be used."""
        return Purposes(self.compiled, self.policy)

    @cached_property
    def mails(self) -> list[MailReads]:
        """All mails of all campaigns."""
        return mails_of(self.declarations)

    @cached_property
    def outgoing(self) -> list[Outgoing]:
        """Everybody who is asked or told something."""
        found = outgoing(self.settings)
        if STREAM in self.policy.destinations:
            found.append(Outgoing(kind="stream", name=STREAM, host=LISTENS))
        return found

    @cached_property
    def features(self) -> list[str]:
        """The names of the profile's features."""
        return [one.name for one in self.compiled.features if not one.anonymous and not one.name.startswith("$")]

    @cached_property
    def personal_features(self) -> dict[str, str]:
        """The personal features, each with the name of the field that it is of."""
        known = (one for one in self.compiled.features if one.personal and one.name in self.features)
        return {one.name: self.purposes.parts(self.purposes.feature(one.name))[0] for one in known}

    @cached_property
    def lines(self) -> dict[str, str]:
        """Where features, segments and campaigns are declared, by the policy's names for them."""
        profile = self.declarations.profile
        features = {self.purposes.feature(name): one.line for name, one in features_of(profile).items()}
        segments = {self.purposes.feature(name): one.condition.line for name, one in segments_of(profile).items()}
        campaigns = {f"campaign.{one.name}": one.line for one in self.declarations.campaigns}
        return {**features, **segments, **campaigns}

    def in_policy(self, *names: str) -> str:
        """Return `policy.toml:line` of the first line that has the last of the names behind the one before."""
        return place(POLICY, self.files.get(POLICY, ""), *names)

    def in_settings(self, *names: str) -> str:
        """Return `livepost.toml:line`, as `in_policy`."""
        return place(SETTINGS, self.files.get(SETTINGS, ""), *names)

    def sources(self, template: str) -> Iterator[tuple[str, str]]:
        """Yield the files that a template is made of, with their texts: its own, then what it renders."""
        waiting = [f"{TEMPLATES}{template}.mjml", f"{TEMPLATES}{template}.txt"]
        seen: set[str] = set()
        while waiting:
            path = waiting.pop(0)
            if path in self.files and path not in seen:
                seen.add(path)
                yield path, self.files[path]
                waiting += [f"{TEMPLATES}{name}.liquid" for name in rendered_in(self.files[path])]

    def carried(self, mail: MailReads) -> dict[str, frozenset[str]]:
        """Return the variables of a mail with the features that each carries: the profile's, and over them what its
        function gives.
        """
        own = {name: frozenset((name,)) for name in self.features}
        return {**own, **{name: mail.carried.get(name, frozenset()) for name in mail.given}}

    def used(self, mail: MailReads) -> dict[str, str]:
        """Return the features that a mail uses, each with the place where it does."""
        carried = self.carried(mail)
        used = dict.fromkeys(sorted(mail.read), mail.line)
        texts = [(mail.line, mail.subject), (mail.line, mail.preheader)]
        for where, text in texts:
            for one in names_in(text):
                used.update(dict.fromkeys(carried.get(one.name, ()), where))
        for path, text in self.sources(mail.template):
            for one in names_in(text):
                for feature in carried.get(one.name, ()):
                    used.setdefault(feature, f"{path}:{one.line}")
        return used


def place(file: str, text: str, *names: str) -> str:
    """Return `file:line` of the line with the last of the names, each looked for behind the one before; else the file.

    >>> place("policy.toml", '[fields]\\n"Identified.email" = {}', "fields", "Identified.email")
    'policy.toml:2'
    """
    at = 0
    lines = text.splitlines()
    found = -1
    for name in names:
        word = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w-])")
        hit = next((n for n in range(at, len(lines)) if word.search(lines[n].partition("#")[0])), None)
        if hit is None:
            break
        found = at = hit
    return f"{file}:{found + 1}" if found >= 0 else file
