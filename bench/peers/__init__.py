"""What one would write in the place of the gateway, and the floor: programs that are fed lines and post them."""
