"""Who may do what, and what of a person's values they see.

Reads: `policies.cedar` here and a project's `policies/*.cedar`, once. Writes nothing. Promised: what no policy permits
is denied; one place decides for the API, another for the console, a third masks values for both.
"""
