"""The service ``recorder``: deletes what has been kept long enough."""

from __future__ import annotations

import logging
import os

from vigilar_core.config.core import Database
from vigilar_core.context import ServiceContext
from vigilar_core.errors import NotReadyError
from vigilar_core.health import Health, HealthState
from vigilar_core.store.engine import open_engine, store_url
from vigilar_core.store.migrate import require_migrated
from vigilar_recorder.register import Register
from vigilar_recorder.removal import BATCH, Removal
from vigilar_recorder.settings import CameraRecording, RecordingStorage
from vigilar_recorder.tables import DISTRIBUTION, TABLES

log = logging.getLogger(__name__)

_DAY_US = 86_400_000_000
#: After a start, and after the clock was set, old recordings are left alone for so long: a wrong
#: clock must not delete what a right one would keep.
SETTLE_S, SETTLE_AFTER_JUMP_S = 600.0, 86_400.0
_JUMP_US = 3_600_000_000


class ClockTrust:
    """Whether the wall clock has run evenly for long enough to delete by it."""

    def __init__(self, monotonic_s: float, time_us: int) -> None:
        self._offset_us = time_us - round(monotonic_s * 1e6)
        self._trusted_from_s = monotonic_s + SETTLE_S

    def look(self, monotonic_s: float, time_us: int) -> bool:
        """Compare the clocks; ``False`` while the wall clock is not to be trusted."""
        offset_us = time_us - round(monotonic_s * 1e6)
        if abs(offset_us - self._offset_us) > _JUMP_US:
            self._trusted_from_s = monotonic_s + SETTLE_AFTER_JUMP_S
            log.warning("the clock was set; no recording is deleted for its age for a day")
        self._offset_us = offset_us
        return monotonic_s >= self._trusted_from_s


class Retention:
    """Finishes deletions and enforces ``retention_days``, a batch each time."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        configured = context.settings.section(Database).url.reveal()
        engine = open_engine(store_url(context.paths.data_dir, configured))
        require_migrated(engine, [(DISTRIBUTION, TABLES)])
        self._register = Register(engine)
        self._removal = Removal(self._register, context.bus, context.paths.recordings_dir)
        self._trust = ClockTrust(context.clock.monotonic_s(), context.clock.time_us())

    def poll(self) -> None:
        """One round."""
        clock = self._context.clock
        if self._trust.look(clock.monotonic_s(), clock.time_us()):
            for camera in self._register.cameras():
                self._mark_expired(camera)
        self._removal.finish()

    def health(self) -> Health:
        """Whether recordings can be written at all."""
        folder = self._context.paths.recordings_dir
        if not os.access(folder, os.W_OK | os.X_OK):
            return Health(
                HealthState.FAILED,
                f"{folder} cannot be written",
                "let the service's user own it, or name another in [system] recordings_dir",
            )
        if self._context.settings.section(RecordingStorage).encrypt_recordings:
            try:
                self._context.storage_key()
            except NotReadyError as error:
                return Health(HealthState.FAILED, f"nothing is recorded: {error}")
        disk = os.statvfs(folder)
        return Health(figures={"free_gb": round(disk.f_bavail * disk.f_frsize / 1e9, 3)})

    def _mark_expired(self, camera: str) -> None:
        try:
            settings = self._context.settings.item("cameras", camera, CameraRecording)
        except KeyError:
            settings = CameraRecording.model_validate(
                {}
            )  # The camera was taken out of the configuration.
        if not settings.retention_days:
            return
        limit_us = self._context.clock.time_us() - round(settings.retention_days * _DAY_US)
        expired = self._register.expired(camera, limit_us, BATCH)
        if expired:
            days = f"{settings.retention_days:g}"
            reason = f"older than {days} days"
            self._register.mark([recording.id for recording in expired], reason, "retention")
