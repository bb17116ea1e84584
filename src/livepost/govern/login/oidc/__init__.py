"""Sign-in at somebody else's server, by OpenID Connect: the authorization code flow with PKCE.

Reads: the provider's description and keys, over the one way out. Writes: nothing; what waits for browsers to come back
is in memory. Promised: only whose ID token is signed by the provider's own key, for this console, for this very browser
and this very attempt, is told to be anybody.
"""
