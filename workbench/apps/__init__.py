"""Thin screens over the views: one widget for marimo and Jupyter, and the server that puts all apps under one address."""
