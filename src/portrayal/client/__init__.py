"""The typed Python client of the native API."""
