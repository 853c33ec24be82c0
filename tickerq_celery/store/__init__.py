"""The code that speaks SQL; it never commits."""
