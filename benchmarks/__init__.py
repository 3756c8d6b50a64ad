"""Measurements of the targets. ``python -m benchmarks`` runs all, ``-- NAME`` one of them.

Figures are ratios of two things measured side by side in one run wherever that is possible,
because machines drift; absolute times are given for people.
"""
