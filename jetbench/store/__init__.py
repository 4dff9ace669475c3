"""The only room that keeps things: the folder of a sweep, and the database over them."""
