"""Between a command and the person at the terminal, or the script: what runs it, what is printed and how it ends."""
