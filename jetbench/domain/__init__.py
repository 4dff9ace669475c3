"""What we talk about: frozen values and the errors. Imports nothing of the house."""
