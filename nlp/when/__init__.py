"""When: the grammar of time expressions, from words to moments; knows no slots."""
