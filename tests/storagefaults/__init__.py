"""What goes wrong below the store, and whether anything is lost that looks clean: ``python -m tests.storagefaults``.

``flips`` damages the files of a store that is closed, ``running`` those of one that serves, in this process; ``calls``
lets the system calls of a real gateway fail (strace), ``disk`` fills the disk of a real gateway and takes the right to
write away (a tmpfs in a mount namespace). Each case is held to the same promise: what was acknowledged is there byte
for byte, or the store says that it was damaged.
"""
