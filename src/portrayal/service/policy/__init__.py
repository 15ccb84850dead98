"""The policy: whether a prompt and its pictures may be worked on. Rules are data; `docs/policy.md` explains them."""

from portrayal.service.policy.judging import Verdict, judge
from portrayal.service.policy.rules import PolicyError, Rules

__all__ = ["PolicyError", "Rules", "Verdict", "judge"]
