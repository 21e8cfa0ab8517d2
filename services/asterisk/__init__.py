"""Asterisk, live: its manager interface heard, kept on disk, translated into reports and published."""
