"""Pure translators: an exchange's own words in, reports out."""
