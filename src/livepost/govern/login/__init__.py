"""How people get in: passwords, second factors, one-time links, and what slows down who guesses.

Reads and writes: the control store's users, sessions and tries. Promised: who guesses learns neither who has an account
nor which half was wrong; whoever loses a role, a password or an account loses their sessions with it.
"""
