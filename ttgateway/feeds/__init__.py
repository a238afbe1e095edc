"""Feeds: those who read along the journal themselves, over a WebSocket or by asking for what they missed."""
