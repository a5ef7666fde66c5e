"""Telling people and other systems what happens to requests and grants.

`outbox.tell` writes rows in the transaction of what they tell; `delivery` hands them over, by e-mail and webhook, until it
has worked or a day has passed. A message never decides anything: it leads to the page.
"""
