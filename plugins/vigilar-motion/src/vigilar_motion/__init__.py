"""Motion, and changes of the whole scene, in the pictures of a camera."""

from __future__ import annotations
