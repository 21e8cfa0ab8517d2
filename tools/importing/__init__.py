"""Years of old records into the journal: read in pieces, sent through `POST /reports`, resumed where it broke off."""
