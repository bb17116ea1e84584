"""The rules: Cedar policies, parsed once, and what they decide.

In: `policies.cedar`, a project's `policies/*.cedar`. Out: yes or no. Promised: what no policy permits is denied, and so
is what Cedar cannot decide; a policy with a word that the schema does not have is refused at start; a project's own may
forbid anything, and permit only what they name: a role, what it does, and to what.

A decision depends on the role, on what is done and to what, and on nothing else, so each is asked of Cedar once and
kept: there are fewer than 2,000. A key's scopes only take away from what its role may.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path
from typing import Any

import cedarpy

from livepost.errors import RejectedError, SettingsError
from livepost.govern.access.mask import How
from livepost.govern.access.permission import Permission
from livepost.govern.access.sight import EVERYTHING, FIELDS, SEES, Field, Sight
from livepost.model.principal import ROLES, Principal, Role
from livepost.settings.policy import Policy, load_policy, policy_in_force

PSEUDONYMS = "pseudonyms"
"""The purpose of the key of pseudonyms: of this workspace, and for nothing else."""

FOLDER = "policies"
"""Of a project: where its own policies are."""

MAX_POLICY_BYTES = 100_000
MAX_FILES = 100

_OWN = "policies.cedar"
_ENTITIES = cedarpy.Entities.from_json_str("[]")


class Rules:
    """What a set of policies decides."""

    def __init__(self, policies: str, key: bytes = b"", policy: Policy | None = None) -> None:
        """Take policies as text, the workspace's key of pseudonyms, and what `policy.toml` says; raise SettingsError
        unless the schema has all words of the policies. Without a key pseudonyms are hidden.
        """
        _require_valid(policies, "the policies")
        self._key = key
        self._policy = policy
        self._policies = cedarpy.PolicySet.from_str(policies)
        self._kept: dict[tuple[str, str, str, str], bool] = {}

    def may(self, who: Principal, need: Permission) -> bool:
        """Return whether somebody may do what a route needs."""
        return (not who.scopes or need.scope in who.scopes) and self.permits(who.role, need.verb, "Kind", need.kind)

    def require(self, who: Principal, need: Permission) -> None:
        """Raise RejectedError (403) unless somebody may do what a route needs."""
        if self.may(who, need):
            return
        allowed = self.roles(need)
        if who.role in allowed:
            raise _refused(f"expected a key with the scope {need.scope}, got one without; make a key that has it")
        names = ", ".join(spoken(role) for role in allowed) or "nobody"
        raise _refused(
            f"this needs to {need.verb} {spoken(need.kind)}, which the role {spoken(who.role)} may not "
            f"({names} may); ask somebody with that role"
        )

    def roles(self, need: Permission) -> list[Role]:
        """Return which roles may do what a route needs."""
        return [role for role in ROLES if self.permits(role, need.verb, "Kind", need.kind)]

    def sight(self, who: Principal) -> Sight:
        """Return how somebody sees personal values: all of them, while the glass is broken by who may break it."""
        if who.glass and self.permits(who.role, "open", "Kind", "glass"):
            return EVERYTHING
        return Sight({field: self.how(who.role, field) for field in FIELDS}, self._key, self._policy)

    def how(self, role: Role, field: Field) -> How:
        """Return how a role sees a kind of field, whatever `policy.toml` says."""
        return next((how for action, how in SEES if self.permits(role, action, "Field", field)), "hide")

    def permits(self, role: Role, action: str, of: str, resource: str) -> bool:
        """Return whether a role may take an action on a `Kind` or a `Field`; asked of Cedar once."""
        asked = (role, action, of, resource)
        known = self._kept.get(asked)
        if known is None:
            known = self._kept[asked] = self.decide(role, action, of, resource)
        return known

    def decide(self, role: str, action: str, of: str, resource: str) -> bool:
        """Ask Cedar; an error of it is a no."""
        answer = cedarpy.is_authorized(
            {
                "principal": {"type": "Role", "id": role},
                "action": {"type": "Action", "id": action},
                "resource": {"type": of, "id": resource},
            },
            self._policies,
            _ENTITIES,
        )
        return bool(answer.allowed) and not answer.diagnostics.errors


def load_rules(project: Path | None = None, key: bytes = b"", data: Path | None = None) -> Rules:
    """Return our rules with those of a project's folder, and its `policy.toml`; raise SettingsError for what is
    refused. `key` is the workspace's for pseudonyms (`vault.secret(PSEUDONYMS)`); `data` is the data folder of a house,
    which says what policy is in force.
    """
    own = files("livepost.govern.access").joinpath(_OWN).read_text()
    added = [_of_project(path) for path in _files(project)] if project is not None else []
    return Rules("\n".join([own, *added]), key, _policy(project, data))


def _policy(project: Path | None, data: Path | None) -> Policy | None:
    if project is None:
        return None
    return load_policy(project) if data is None else policy_in_force(project, data)


@cache
def default_rules() -> Rules:
    """Return our rules alone."""
    return load_rules()


def spoken(name: str) -> str:
    """Return a role or kind as people say it.

    >>> spoken("privacy_officer")
    'privacy officer'
    """
    return name.replace("_", " ")


def too_wide(policies: str) -> list[str]:
    """Return the permits of a text (by `@id`, else their number) that do not name a role, an action and a resource."""
    told = json.loads(cedarpy.policies_to_json_str(policies))["staticPolicies"]
    return [
        policy["annotations"].get("id") or name
        for name, policy in sorted(told.items())
        if policy["effect"] == "permit" and not all(map(_names_something, _scope(policy)))
    ]


def _scope(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in ("principal", "action", "resource"):
        yield policy[part]


def _names_something(part: dict[str, Any]) -> bool:
    return part["op"] in {"==", "in"}


def _files(project: Path) -> list[Path]:
    found = sorted((project / FOLDER).glob("*.cedar"))
    if len(found) > MAX_FILES:
        raise SettingsError(f"{project / FOLDER} has {len(found)} policies' files, expected at most {MAX_FILES}")
    return found


def _of_project(path: Path) -> str:
    """Return a project's policies; raise SettingsError if they are none, or permit more than they name."""
    try:
        raw = path.read_bytes()
        text = raw.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read as UTF-8 text ({error}); mend the file") from error
    if len(raw) > MAX_POLICY_BYTES:
        raise SettingsError(f"{path} has {len(raw)} bytes, expected at most {MAX_POLICY_BYTES}; shorten it")
    _require_valid(text, str(path))
    if wide := too_wide(text):
        raise SettingsError(
            f"{path}: expected each permit to name a role, an action and a resource in its head, got "
            f'`{wide[0]}` without; write `permit (principal == Role::"analyst", action == Action::"read", '
            'resource == Kind::"letters");`'
        )
    return text


def _require_valid(policies: str, where: str) -> None:
    schema = files("livepost.govern.access").joinpath("schema.cedarschema").read_text()
    verdict = cedarpy.validate_policies(policies, schema)
    if not verdict.validation_passed:
        raise SettingsError(f"{where}: {verdict.errors[0]}; docs/reference/roles.md has the words that there are")


def _refused(words: str) -> RejectedError:
    return RejectedError(words, code="role", status=HTTPStatus.FORBIDDEN)
