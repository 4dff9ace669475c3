"""The versions of the tables, one file each; none is ever changed after it was released."""
