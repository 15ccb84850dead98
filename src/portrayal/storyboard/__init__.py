"""Storyboards: a script of panels with one cast and one style becomes pages of pictures, captions and balloons."""

from portrayal.storyboard.making import Made, make
from portrayal.storyboard.script import Script, read_script

__all__ = ["Made", "Script", "make", "read_script"]
