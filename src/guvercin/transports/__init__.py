"""The lines to WhatsApp. Transports know core alone, and nothing of each other."""
