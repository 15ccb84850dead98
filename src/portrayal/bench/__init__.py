"""Measuring: six rounds, speed, the installation, and the sheet that shows what was learnt."""
