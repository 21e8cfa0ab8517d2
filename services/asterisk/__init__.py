"""The agent beside an Asterisk: receives its manager interface, spools it, translates it and publishes reports."""
