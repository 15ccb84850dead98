"""The 62 style presets as data: photographic.toml, printed.toml, handmade.toml."""
