"""Vigilar's source of pictures: RTSP cameras, USB cameras, files and a demonstration camera."""

from __future__ import annotations
