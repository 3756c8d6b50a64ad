"""Recordings: what a camera saw around a trigger, kept encrypted for as long as asked."""
