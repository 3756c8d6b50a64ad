"""The storage key, read by the recorder and the player when they need it and by nobody else."""

from __future__ import annotations

from vigilar_core.config import Settings
from vigilar_core.config.core import Storage, System
from vigilar_core.config.references import SecretFiles, SecretUnavailableError
from vigilar_core.errors import NotReadyError

#: Bytes of the key, and the name of the systemd credential that holds it.
SIZE_BYTES = 32
CREDENTIAL = "storage.key"


def storage_key(settings: Settings) -> bytes:
    """The 32 bytes that recordings are encrypted with.

    The systemd credential ``storage.key`` comes first, then ``[storage] key_file``.

    :raises NotReadyError: there is none, or it is not private, or has another size
    """
    path = settings.section(Storage).key_file
    credentials = SecretFiles.of(settings.section(System).secrets_dir).credentials_dir
    try:
        key = SecretFiles(path.parent, credentials).read_bytes(
            CREDENTIAL if credentials and (credentials / CREDENTIAL).exists() else path.name
        )
    except SecretUnavailableError as error:
        raise NotReadyError(
            f"the storage key cannot be read: {error}. {error.fix}".rstrip(". ")
        ) from error
    if len(key) != SIZE_BYTES:
        raise NotReadyError(
            f"the storage key {path} has {len(key)} bytes instead of {SIZE_BYTES}; "
            "put back the right file, a new key cannot read old recordings"
        )
    return key
