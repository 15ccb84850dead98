"""The service behind every door: durable jobs, the library, files, keys, limits, webhooks. It knows no HTTP format."""
