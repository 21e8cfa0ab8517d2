"""Import old call records: read a source in chunks, send them to `POST /reports`, resume after an interruption."""
