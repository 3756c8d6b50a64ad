"""An example of a plugin: a channel that writes to a file, an analyser that notices darkness."""
