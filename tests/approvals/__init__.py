"""Tests of approval links."""
