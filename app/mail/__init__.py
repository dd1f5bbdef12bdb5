"""Mail: what is queued in the outbox (`app/models/mail.py`) is sent after the commit that queued it.

- `letters`: whom a mail goes to and what it says.
- `delivery`: claiming, sending, trying again.
- `sender`: the thread of a serving process that does so.
"""
