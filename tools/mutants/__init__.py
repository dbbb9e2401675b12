"""Breaks the package one place at a time, and shows what no test notices."""
