"""How a message comes in and an answer goes out."""
