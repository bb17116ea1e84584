"""The demo's storefront, `/shop`: a shop of sixteen products, and beside it the visitor's own next mail.

Reads the house's API with a secret key, over HTTP as any shop's server does; writes the visitor's identity to
`/v1/identify`. Promises that the desk answers only for ids that nobody can guess.
"""
