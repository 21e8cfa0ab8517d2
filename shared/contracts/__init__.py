"""The published language of the services. Importing it gives marshmallow's messages their error codes."""

from shared.contracts import validation as validation
