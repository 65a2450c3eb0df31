"""Meta's WhatsApp Cloud API: the official line."""
