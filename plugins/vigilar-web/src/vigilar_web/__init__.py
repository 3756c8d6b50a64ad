"""The web interface of Vigilar: a plugin like any other, and the host of other plugins' pages."""
