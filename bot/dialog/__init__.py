"""What a handler may touch: turn, form, skill; and whether we are spoken to at all."""
