"""Style codes: eight hex digits that are a look for ever."""
