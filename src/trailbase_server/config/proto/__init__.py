"""Message classes generated from proto/ by scripts/proto; not written by hand."""
