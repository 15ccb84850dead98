"""Reading prompts: words in, a `ScenePlan` out."""
