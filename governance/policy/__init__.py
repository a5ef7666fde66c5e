"""Policy: facts in, decision out, in Cedar (docs/policy.md).

- `program` compiles a set (`annotations`, `row_filters`, `problems`, `words`); `question` and `engine` ask it, `combine` makes
  one `decision` of the answers. All of these are pure.
- `examination` looks at a set as a whole (`coverage`, `lockout`, `surroundings`).
- `store` keeps versions, `changes` compares them; `activation`, `proposals` and `quorum` say who may change them.
- `explanation` and `replay` show what a set would do.
"""
