"""Thin screens over the views: one widget for marimo and Jupyter, and the server with every app under one address."""
