"""Text in, meaning out. Knows no people, no database, no clock."""
