"""The history of the schema. Each step is an expanding or a contracting one, and says which: `compatible_version`.

That is the oldest schema whose programs can run on this one. The database keeps it beside the version that it stands
at (`alembic_version.compatible_version`): a program runs on a newer schema if it knows the schema that is named there.

- **Expand**: repeat the `compatible_version` of the step before. What is allowed is what a program that knows nothing
  of it doesn't feel: a new table; a new column that may be null or has a server default; a new index. Never a new CHECK, a
  unique index or a foreign key over what older programs write, nor a new value where they read a closed list.
  Gateways may run on meanwhile, so the step is quick: it changes the catalogue and fills no rows of a large table, and
  an index over a large table keeps everybody who writes waiting for as long as it is made.
- **Contract**: drop, rename, tighten or fill only what no program of `compatible_version` or later reads or writes
  any more, and name that version: the release before, if it has stopped using the thing; this step itself, if nothing
  older can live with it. Gateways that know less have to be stopped before it.

A column that is to go therefore takes two releases: one that no longer uses it, and the next, which drops it and names
the schema of the first. A step that says nothing counts as one that nothing older can live with.
"""
