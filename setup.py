"""Builds the compiled scanner. It is optional: without a C compiler, parsing is slower."""

from setuptools import Extension, setup

setup(
    ext_modules=[Extension("lrnanalysis.parse._scan", ["lrnanalysis/parse/_scan.c"], optional=True)]
)
