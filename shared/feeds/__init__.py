"""Pure translators: records and events of an exchange in, reports out."""
