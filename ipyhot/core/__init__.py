"""The heart: from bytes on disk to one committed generation.

Standard library only, so that a bare worker process can run it. Starts no thread, knows no kernel and no screen.
Modules import downwards only:
model, errors < sources, graph, commit < diff, plan < imports < succession < stage < engine.
"""
