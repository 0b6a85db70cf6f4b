"""Receivers that no package brings: built from their modules, pushed to, and asked what arrived."""
