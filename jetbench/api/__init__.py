"""What the commands do, for programs: typed values in and out, nothing printed, errors raised.

`jetbench` itself has all of it: ``from jetbench import run, Results``.
"""
