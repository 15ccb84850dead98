"""The HTTP doors: the native API and the hosts' formats. They translate; the service works."""
