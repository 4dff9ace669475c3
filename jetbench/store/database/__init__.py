"""The history of all sweeps: a database over the folders, from which it can be made again."""
