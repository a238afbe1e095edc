"""The listener of ``listen``: it takes deliveries (``listener``), judges them (``deliveries``), and shows them."""
