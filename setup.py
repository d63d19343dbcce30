"""The one part that is compiled. Where that fails, a slower way takes its place."""

from setuptools import Extension, setup

setup(
    ext_modules=[Extension("lrnanalysis.parse._scan", ["lrnanalysis/parse/_scan.c"], optional=True)]
)
