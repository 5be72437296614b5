"""What a person or a program sees: the only room that formats."""
