"""AWS KMS as the service that wraps key-encryption keys; the only module of the vault that knows boto3.

In: a key's id, ARN or alias; region and credentials as boto3 finds them. Out: data keys of 256 bits (GenerateDataKey,
Decrypt), bound to the workspace by the encryption context. Source: AWS KMS API reference.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from livepost.errors import SettingsError

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:  # told by whoever asks for it
    boto3 = None

EXTRA = "python -m pip install 'livepost[kms]'"
TIMEOUT_S = 5
TRIES = 3


class Kms:
    """One key of AWS KMS; a body of `KeyService`."""

    def __init__(self, key: str, workspace: str) -> None:
        """Take the key's id, ARN or alias. Raises SettingsError where boto3 is not installed, or knows no region."""
        if boto3 is None:
            raise SettingsError(f"kek names AWS KMS, which needs an extra; type: {EXTRA}")
        self._key = key
        self._context = {"livepost:workspace": workspace}
        config = Config(connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"total_max_attempts": TRIES})
        try:
            self._client: Any = boto3.client("kms", config=config)
        except BotoCoreError as error:
            raise SettingsError(f"{self.name} cannot be asked: {error}; set AWS_DEFAULT_REGION") from error

    @property
    def name(self) -> str:
        """How the setting `kek` names the key."""
        return f"aws-kms:{self._key}"

    def data_key(self) -> tuple[bytes, str]:
        """Return a new key and its ciphertext (base64)."""
        told = self._ask("generate_data_key", KeyId=self._key, KeySpec="AES_256")
        return told["Plaintext"], base64.b64encode(told["CiphertextBlob"]).decode()

    def unwrap(self, wrapped: str) -> bytes:
        """Return the key of a ciphertext."""
        try:
            blob = base64.b64decode(wrapped, validate=True)
        except binascii.Error:
            raise SettingsError(f"expected base64 of what {self.name} wrapped, got something else") from None
        plain: bytes = self._ask("decrypt", KeyId=self._key, CiphertextBlob=blob)["Plaintext"]
        return plain

    def _ask(self, what: str, **told: object) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, what)(EncryptionContext=self._context, **told)
        except (BotoCoreError, ClientError) as error:
            raise SettingsError(
                f"{self.name} did not {what.replace('_', ' ')}: {error}; check the key, its policy and the credentials"
            ) from error
        return answer
