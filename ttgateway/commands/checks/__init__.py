"""The doctor: each module looks at one part of a gateway's house and says what is wrong there, and what to do.

What looks at the machine itself blocks, and is run aside. Nothing here writes anything, and nobody waits for longer
than its deadline.
"""
