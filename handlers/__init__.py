"""One topic a file, named by the first word of its intents. Topics never import each other."""
