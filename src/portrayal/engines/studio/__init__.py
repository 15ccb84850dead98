"""The CPU engine: it re-photographs the reference. Entry: `portrayal.engines.studio.engine.StudioEngine`."""
