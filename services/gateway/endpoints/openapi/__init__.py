"""The OpenAPI document and the page that shows it, made from the specs of the doors."""
