"""What Segment's browser SDK (`@segment/analytics-next`) asks for first: which integrations there are, where
to post.

In come the write key and the address the browser used, out goes the settings document: the one integration is
ours.
"""

from __future__ import annotations

from typing import Any

SETTINGS_MAX_AGE_S = 300


def browser_settings(write_key: str, host: str, scheme: str) -> dict[str, Any]:
    """Return the document for `GET /v1/projects/{key}/settings`.

    `apiHost` makes the SDK post back to where the settings came from; a `sampleRate` of 0 keeps it from
    reporting its own metrics to Segment.
    """
    return {
        "integrations": {
            "Segment.io": {
                "apiKey": write_key,
                "apiHost": f"{host}/v1",
                "protocol": scheme,
                "unbundledIntegrations": [],
                "addBundledMetadata": True,
                "maybeBundledConfigIds": {},
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            }
        },
        "plan": {
            "track": {"__default": {"enabled": True, "integrations": {}}},
            "identify": {"__default": {"enabled": True}},
            "group": {"__default": {"enabled": True}},
        },
        "metrics": {"sampleRate": 0},
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    }
