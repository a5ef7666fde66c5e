"""Measuring what a request would do: the parts that `gateway/impact.py` puts together.

- `refusals`: what is not tried out, and why; `trial`: what a driver is asked, and what it has seen.
- `sampling`: the statement that also shows some of what it changes; `effects`: what carried a change on, which triggers fired.
- `failures`: what the database's refusals mean, without its words. All of these are pure.
- `asking` and `reading` are the way from a request to a driver and back.
"""
