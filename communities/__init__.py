"""The built-in sample communities, one TOML file each."""
