"""The key-encryption keys: 32 bytes each, which live outside the vault and wrap every key in it.

Reads: a file, a variable, a key service (AWS KMS, HashiCorp Vault's Transit). Writes: that file, or the keys that the
service wrapped. Promises: no message tells a key; a key is dropped only when nothing in the vault is wrapped by it.
"""
