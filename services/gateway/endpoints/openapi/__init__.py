"""The OpenAPI document and the page that shows it, made from the plates of the doors."""
