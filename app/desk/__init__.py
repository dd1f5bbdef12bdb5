"""The desk: the page of the people at the counter and in the bay, and the page behind approval links.

Static files that use nothing but the API. Nothing else imports this package but the factory, so a shop with pages of
its own may remove it, or leave it out by `DESK=off`.
"""
